/** The whole service, from the answers of all its workers; in a service under the native supervisor, from its, too. */
import { ask, askSibling, type Asked } from './ask.js';
import { exposition, isUp, type SlotFigures } from './exposition.js';
import {
  readTotals,
  removeDeadSocket,
  serviceFolderFailure,
  siblingsIn,
  writeTotals,
  type Sibling,
} from './service-folder.js';
import { holdsSlot, parseSnapshot, type Snapshot } from './snapshot.js';
import type { ThreadLog } from './thread-log.js';
import { createTotals, type Totals } from './totals.js';

/** A sibling that does not answer within this time is left out: a scrape takes less than a second. */
const ANSWER_MS = 600;

/** How long a slot that has lost its process is reported as down, in ms. */
const MISSING_MS = 300_000;

export interface ServiceView {
  metrics(): Promise<string>;
  status(): Promise<object>;
  /** Whether any worker serves. */
  isReady(): Promise<boolean>;
}

export interface ServiceViewNeeds {
  readonly folder: string;
  /** This thread's own worker. */
  own(): Snapshot;
  readonly controlSocket: string | undefined;
  readonly log: ThreadLog;
}

/** The part of the native supervisor's status that is used. */
interface SupervisorStatus {
  readonly workers: readonly { slot: number; pid: number | null; restarts: number; generation: number }[];
}

/** A sibling: with its snapshot if it has answered. */
interface Answer {
  readonly slot: number;
  readonly pid: number;
  /** Its process has died. */
  readonly isGone: boolean;
  readonly snapshot: Snapshot | undefined;
}

export function createServiceView({ folder, own, controlSocket, log }: ServiceViewNeeds): ServiceView {
  const totals = createTotals(readTotals(folder));
  const saveTotals = createSaving(folder, totals, log);
  const answerOf = createSiblingQuery(own, log);
  const slotsOf = createSlotList();

  async function collect(): Promise<{ snapshots: Snapshot[]; slots: SlotFigures[] }> {
    const [asked, supervisor] = await Promise.all([
      Promise.all(siblingsIn(folder).map(answerOf)),
      askSupervisor(controlSocket),
    ]);
    const answers = asked.filter(answer => answer !== undefined);
    const snapshots = answers.flatMap(({ snapshot }) => snapshot ?? []);
    const present = new Set(answers.filter(({ isGone }) => !isGone).map(({ pid }) => pid));
    totals.update(snapshots, pid => !present.has(pid));
    const slots = slotsOf(answers);
    return { snapshots, slots: slots.map(slot => figuresOf(slot, snapshots, supervisor)) };
  }

  return {
    async metrics() {
      const { slots } = await collect();
      const text = await exposition(slots, totals);
      saveTotals();
      return text;
    },
    async status() {
      const { slots, snapshots } = await collect();
      return {
        status: slots.some(isServed) ? 'ready' : 'unavailable',
        workers: slots.map(({ newest, ...figures }) => ({ ...figures, up: isServed({ newest }) })),
        processes: snapshots.map(({ slot, pid, phase, counters, gauges, recent }) => ({
          slot,
          pid,
          phase,
          counters,
          gauges,
          recent,
        })),
      };
    },
    isReady: async () => (await collect()).slots.some(isServed),
  };
}

/**
 * Asks siblings for their snapshots, and removes the sockets of dead ones.
 * @returns what answers nothing for a sibling that has exited in order meanwhile
 */
function createSiblingQuery(
  own: ServiceViewNeeds['own'],
  log: ThreadLog,
): (sibling: Sibling) => Promise<Answer | undefined> {
  const unanswered = new Set<number>();
  /** Dead workers whose sockets the next scrape removes. */
  const dead = new Set<number>();

  function warnOnce({ slot, pid }: Sibling): void {
    if (unanswered.has(pid)) return;
    unanswered.add(pid);
    log(
      'warn',
      `Worker ${pid} (slot ${slot}) is missing in the metrics: it gives no answer that can be read`,
    );
  }

  return async sibling => {
    if (sibling.pid === process.pid) return { ...sibling, isGone: false, snapshot: own() };
    const answer = await askSibling(sibling, ANSWER_MS);
    if (answer === 'left') return undefined;
    if (answer === 'gone') {
      // The live page looks less often than a scrape may come, and must see it, too.
      if (dead.delete(sibling.pid)) removeDeadSocket(sibling);
      else dead.add(sibling.pid);
      return { ...sibling, isGone: true, snapshot: undefined };
    }
    const snapshot = answer === 'no answer' ? undefined : parseSnapshot(answer.text);
    if (snapshot === undefined) warnOnce(sibling);
    else unanswered.delete(sibling.pid);
    return { ...sibling, isGone: false, snapshot };
  };
}

/** The next holder of the port continues from what has been exposed. A full disk does not fail a scrape. */
function createSaving(folder: string, totals: Totals, log: ThreadLog): () => void {
  let isSaved = true;
  return () => {
    try {
      writeTotals(folder, totals.save());
      isSaved = true;
    } catch (error) {
      if (isSaved)
        log(
          'warn',
          `The counters of the metrics may fall when worker ${process.pid} ends: ${serviceFolderFailure(error as Error, folder)}`,
        );
      isSaved = false;
    }
  };
}

const isServed = ({ newest }: Pick<SlotFigures, 'newest'>): boolean => newest !== undefined && isUp(newest);

/** Lists the slots that have a process, or have lost theirs; one whose process exited in order is not listed. */
function createSlotList(): (answers: readonly Answer[]) => number[] {
  /** Slots whose last process has died, and when that was noticed. */
  const lost = new Map<number, number>();
  return answers => {
    const now = performance.now();
    for (const { slot, isGone } of answers) if (isGone && !lost.has(slot)) lost.set(slot, now);
    for (const { slot } of answers.filter(holdsSlot)) lost.delete(slot);
    for (const [slot, at] of lost) if (now - at > MISSING_MS) lost.delete(slot);
    const slots = new Set([...answers.map(({ slot }) => slot), ...lost.keys()]);
    return [...slots].toSorted((one, other) => one - other);
  };
}

async function askSupervisor(socketPath: string | undefined): Promise<SupervisorStatus | undefined> {
  if (socketPath === undefined) return undefined;
  const answer: Asked = await ask({ socketPath }, '/status', ANSWER_MS);
  try {
    return typeof answer === 'string' ? undefined : (JSON.parse(answer.text) as SupervisorStatus);
  } catch {
    return undefined;
  }
}

function figuresOf(
  slot: number,
  snapshots: readonly Snapshot[],
  supervisor: SupervisorStatus | undefined,
): SlotFigures {
  const own = snapshots
    .filter(snapshot => snapshot.slot === slot)
    .toSorted((one, other) => one.gauges.uptimeSeconds - other.gauges.uptimeSeconds);
  const newest = own.find(({ phase }) => phase === 'serving');
  const row = supervisor?.workers.find(
    worker => worker.slot === slot && (newest === undefined || worker.pid === newest.pid),
  );
  return {
    slot,
    newest,
    draining: own.filter(({ phase }) => phase === 'draining').length,
    restarts: row?.restarts,
    generation: row?.generation,
  };
}
