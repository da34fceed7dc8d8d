/**
 * Feels the pulse of workers that have a socket each. The kernel goes on filling the queue of a socket whose worker's
 * event loop is blocked; whoever is silent for {@link SILENT_MS} is reported, so that its socket can be lent.
 *
 * A pulse is felt only while some worker has something to do: nothing wakes anybody in a service at rest. And with one
 * worker there is nobody to lend to, so nobody is asked.
 */
import { monotonicMs, PULSE_MS, type PulseBoard } from '../../protocol/heartbeat-records.js';
import type { ToWorker } from '../../protocol/messages.js';
import type { Event, WorkerId } from '../core/model.js';

/** Three beats have failed to come. */
const SILENT_MS = 30;

/** So long must a worker have shown its pulse again before it counts as heard: on a starved machine it comes and goes. */
const CALM_MS = 100;

/** So long nobody must have had anything to do before all of them may rest. */
const REST_MS = 1_000;

export type PulseReport = Extract<Event, { type: 'worker.unresponsive' | 'worker.responsive' }>;

export interface PulseMonitor {
  /** This worker serves, and accepts on a socket of its own. */
  watch(id: WorkerId): void;
  /** A worker has something to do again, after all of them had rested. */
  roused(): void;
  /** It has been told to leave, or is gone. */
  forget(id: WorkerId): void;
}

export interface PulseNeeds {
  readonly board: PulseBoard;
  tell(id: WorkerId, message: ToWorker): void;
  report(event: PulseReport): void;
}

interface Patient {
  readonly record: number;
  /** When it was last asked to show its pulse. */
  askedAt: number;
  /** When its pulse was last missed; `undefined` while it counts as heard. */
  missedAt: number | undefined;
}

export function createPulseMonitor({ board, tell, report }: PulseNeeds): PulseMonitor {
  const patients = new Map<WorkerId, Patient>();
  let timer: NodeJS.Timeout | undefined;
  /** When it last began to look, and when it is to look next. */
  let beganAt = 0;
  let dueAt = 0;

  function begin(): void {
    if (timer !== undefined || patients.size < 2) return;
    beganAt = monotonicMs();
    for (const [id, patient] of patients) ask(id, patient);
    lookIn(SILENT_MS);
  }

  function lookIn(delayMs: number): void {
    dueAt = monotonicMs() + delayMs;
    timer = setTimeout(look, delayMs).unref();
  }

  function ask(id: WorkerId, patient: Patient): void {
    patient.askedAt = monotonicMs();
    tell(id, { type: 'pulse.wanted', record: patient.record });
  }

  function look(): void {
    const at = monotonicMs();
    // What kept the supervisor from looking has kept the others from beating: a machine that was suspended.
    if (at - dueAt > SILENT_MS) return lookIn(SILENT_MS);
    board.refresh();
    const dues = [...patients].map(([id, patient]) => judge(id, patient, at));
    if (at - lastWorkAt() > REST_MS && !isSomebodySilent()) rest();
    else lookIn(Math.ceil(Math.min(...dues)));
  }

  /** @returns in how many ms there may be something new about it */
  function judge(id: WorkerId, patient: Patient, at: number): number {
    const beatAt = Math.max(patient.askedAt, board.beatAt(patient.record));
    const silentInMs = beatAt + SILENT_MS - at;
    const { missedAt } = patient;
    if (silentInMs <= 0) {
      patient.missedAt = at;
      if (missedAt === undefined) report({ type: 'worker.unresponsive', worker: id });
    } else if (missedAt !== undefined && beatAt - missedAt > CALM_MS) {
      patient.missedAt = undefined;
      report({ type: 'worker.responsive', worker: id });
    }
    return patient.missedAt === undefined ? silentInMs : PULSE_MS;
  }

  const lastWorkAt = (): number =>
    Math.max(beganAt, ...[...patients.values()].map(({ record }) => board.busyAt(record)));

  const isSomebodySilent = (): boolean =>
    [...patients.values()].some(({ missedAt }) => missedAt !== undefined);

  function rest(): void {
    clearTimeout(timer);
    timer = undefined;
    // One that is alone has nobody who could accept for it.
    const until = patients.size < 2 ? 'asked' : 'busy';
    for (const [id, patient] of patients) {
      tell(id, { type: 'pulse.enough', until });
      // Nobody will feel its pulse for now: it must not count as silent until somebody does again.
      if (patient.missedAt !== undefined) report({ type: 'worker.responsive', worker: id });
      patient.missedAt = undefined;
    }
  }

  return {
    watch(id) {
      const record = board.reserve();
      if (record === undefined) return;
      const patient: Patient = { record, askedAt: 0, missedAt: undefined };
      patients.set(id, patient);
      if (timer === undefined) begin();
      else ask(id, patient);
    },
    roused: begin,
    forget(id) {
      const patient = patients.get(id);
      if (patient === undefined) return;
      patients.delete(id);
      board.release(patient.record);
      tell(id, { type: 'pulse.enough', until: 'asked' });
      // Also while all rest: the last one would otherwise show its pulse to nobody as soon as it is busy.
      if (patients.size < 2) rest();
    },
  };
}
