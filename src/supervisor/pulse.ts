/**
 * Feels the pulse of workers that have a socket each. The kernel goes on filling the queue of a socket whose worker's
 * event loop is blocked; whoever is silent for {@link SILENT_MS} is reported, so that its socket can be lent.
 *
 * A pulse is felt only while some worker has something to do: nothing wakes anybody in a service at rest. And with one
 * worker there is nobody to lend to, so nobody is asked.
 */
import { PULSE_MS, type ToWorker } from './messages.js';
import type { Event, WorkerId } from './model.js';

/** Two beats have failed to come, and the time for one to travel. */
const SILENT_MS = 35;

/** So long must a worker have shown its pulse again before it counts as heard: on a starved machine it comes and goes. */
const CALM_MS = 100;

/** So long nobody must have had anything to do before all of them may rest. */
const REST_MS = 1_000;

export type PulseReport = Extract<Event, { type: 'worker.silent' | 'worker.heard' }>;

export interface PulseMonitor {
  /** This worker serves, and accepts on a socket of its own. */
  watch(id: WorkerId): void;
  felt(id: WorkerId, busy: boolean): void;
  /** It has been told to leave, or is gone. */
  forget(id: WorkerId): void;
}

export interface PulseNeeds {
  tell(id: WorkerId, message: ToWorker): void;
  report(event: PulseReport): void;
  now?(): number;
}

interface Patient {
  /** When it last showed its pulse, or was asked to. */
  feltAt: number;
  /** When its pulse was last missed; `undefined` while it counts as heard. */
  missedAt: number | undefined;
}

export function createPulseMonitor({
  tell,
  report,
  now = () => performance.now(),
}: PulseNeeds): PulseMonitor {
  const patients = new Map<WorkerId, Patient>();
  let timer: NodeJS.Timeout | undefined;
  let lookedAt = 0;
  /** Since when the supervisor itself has been awake without a break. */
  let awakeAt = 0;
  let busyAt = 0;

  function begin(): void {
    if (timer !== undefined || patients.size < 2) return;
    lookedAt = awakeAt = busyAt = now();
    timer = setInterval(look, PULSE_MS).unref();
    for (const [id, patient] of patients) ask(id, patient);
  }

  function ask(id: WorkerId, patient: Patient): void {
    patient.feltAt = now();
    tell(id, { type: 'pulse.wanted' });
  }

  function look(): void {
    const at = now();
    // Who was away cannot tell who was silent meanwhile: the beats have not been read yet.
    if (at - lookedAt > SILENT_MS) awakeAt = at;
    lookedAt = at;
    for (const [id, patient] of patients) judge(id, patient, at);
    const isSomebodySilent = [...patients.values()].some(({ missedAt }) => missedAt !== undefined);
    if (at - busyAt > REST_MS && !isSomebodySilent) rest();
  }

  function judge(id: WorkerId, patient: Patient, at: number): void {
    const isMissed = at - Math.max(patient.feltAt, awakeAt) > SILENT_MS;
    const { missedAt } = patient;
    if (isMissed) {
      patient.missedAt = at;
      if (missedAt === undefined) report({ type: 'worker.silent', worker: id });
    } else if (missedAt !== undefined && at - missedAt > CALM_MS) {
      patient.missedAt = undefined;
      report({ type: 'worker.heard', worker: id });
    }
  }

  function rest(): void {
    clearInterval(timer);
    timer = undefined;
    // One that is alone has nobody who could accept for it.
    const until = patients.size < 2 ? 'asked' : 'busy';
    for (const [id, patient] of patients) {
      tell(id, { type: 'pulse.enough', until });
      // Nobody will feel its pulse for now: it must not count as silent until somebody does again.
      if (patient.missedAt !== undefined) report({ type: 'worker.heard', worker: id });
      patient.missedAt = undefined;
    }
  }

  return {
    watch(id) {
      const patient: Patient = { feltAt: now(), missedAt: undefined };
      patients.set(id, patient);
      if (timer === undefined) begin();
      else ask(id, patient);
    },
    felt(id, busy) {
      const patient = patients.get(id);
      if (patient === undefined) return;
      patient.feltAt = now();
      if (busy) {
        busyAt = patient.feltAt;
        begin();
      }
      // Every beat is an occasion to miss those of others, sooner than the timer would.
      if (timer !== undefined) look();
    },
    forget(id) {
      if (patients.delete(id)) tell(id, { type: 'pulse.enough', until: 'asked' });
      if (patients.size < 2 && timer !== undefined) rest();
    },
  };
}
