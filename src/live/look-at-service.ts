/** A worker's observer thread looks at its whole service, for the live page. */
import { completed, type ShownStatus } from './shown-status.js';
import { ask } from '../observability/ask.js';
import { askSiblings, type Asked } from '../observability/ask-workers.js';
import { removeDeadSocket } from '../observability/service-folder.js';
import { holdsSlot } from '../observability/snapshot.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import type { EventList } from '../supervisor/report/events.js';
import { hangsIn, workerEvents, workersBefore } from './happenings.js';
import type { Lifecycle, Moment } from './messages.js';
import type { Look } from './moment.js';
import { statusOfWorkers, type AskedWorker } from './worker-status.js';

/** A supervisor that does not answer within this time is left out, in ms. */
const ANSWER_MS = 600;

/** How long a slot that has lost its process is shown as empty, in ms. */
const MISSING_MS = 300_000;

export interface LookNeeds {
  readonly app: string;
  readonly supervisedBy: SupervisedBy;
  /** Where the workers have their sockets. */
  readonly folder: string;
  readonly controlSocket: string | undefined;
}

export interface Seen {
  readonly look: Look;
  /** Since the look before. */
  readonly events: readonly Lifecycle[];
}

/**
 * @param last the moment that was seen last, by another worker
 * @returns looks at the service; a supervisor or a worker that does not answer is left out
 */
export function createLooks(needs: LookNeeds, last: Moment | undefined): () => Promise<Seen> {
  const withLost = rememberLost();
  const supervisor =
    needs.controlSocket === undefined ? undefined : createSupervisorView(needs.controlSocket);
  let before: readonly AskedWorker[] | undefined;
  let hung: ReadonlySet<number> = new Set();

  return async () => {
    const { app, supervisedBy, folder } = needs;
    const [asked, answer] = await Promise.all([askSiblings(folder), supervisor?.()]);
    const at = Date.now();
    const workers = withLost(asked, at);
    const hangs = hangsIn(workers, hung, at);
    const derived =
      supervisor === undefined ? workerEvents(before ?? workersBefore(asked, last, at), asked, at) : [];
    before = asked;
    hung = hangs.known;
    removeReplaced(asked);
    // A hang is shown with its stack, where the worker still answers.
    const others = (answer?.events ?? []).filter(({ kind, pid }) => kind !== 'hang' || !hung.has(pid ?? 0));
    const snapshots = workers.flatMap(({ snapshot }) => snapshot ?? []);
    return {
      look: {
        at,
        app,
        supervisedBy,
        status: answer?.status ?? statusWithout(workers, supervisor),
        snapshots,
      },
      events: [...others, ...derived, ...hangs.events],
    };
  };
}

function statusWithout(workers: readonly AskedWorker[], supervisor: object | undefined): Look['status'] {
  const status = statusOfWorkers(workers);
  return supervisor === undefined
    ? status
    : { ...status, why: ['the supervisor does not answer', ...status.why] };
}

/** A scrape of the metrics takes the sockets of dead workers away: here they are missed for longer. */
function rememberLost(): (asked: readonly AskedWorker[], now: number) => readonly AskedWorker[] {
  const lost = new Map<number, { readonly worker: AskedWorker; readonly at: number }>();
  return (asked, now) => {
    for (const worker of asked)
      if (worker.isGone && lost.get(worker.slot)?.worker.pid !== worker.pid)
        lost.set(worker.slot, { worker, at: now });
    const living = asked.filter(({ isGone }) => !isGone);
    for (const { slot } of living.filter(holdsSlot)) lost.delete(slot);
    const missing = [...lost.values()].filter(({ at }) => now - at <= MISSING_MS);
    return [...living, ...missing.map(({ worker }) => worker)];
  };
}

/** Sockets of dead workers whose slot has another worker: without a scrape they would be asked again and again. */
function removeReplaced(asked: readonly Asked[]): void {
  const held = new Set(asked.filter(holdsSlot).map(({ slot }) => slot));
  for (const sibling of asked) if (sibling.isGone && held.has(sibling.slot)) removeDeadSocket(sibling);
}

interface SupervisorAnswer {
  /** Nothing where it does not answer. */
  readonly status: Look['status'] | undefined;
  readonly events: readonly Lifecycle[];
}

/** What the native supervisor says. */
function createSupervisorView(socketPath: string): () => Promise<SupervisorAnswer> {
  let last = 0;
  return async () => {
    const [status, list] = await Promise.all([
      read<Partial<ShownStatus>>(socketPath, '/status'),
      read<EventList>(socketPath, `/events?after=${last}`),
    ]);
    // A supervisor that has taken over counts from the beginning.
    last = list === undefined ? last : list.last < last ? 0 : list.last;
    return { status: status && completed(status), events: list?.events ?? [] };
  };
}

async function read<T>(socketPath: string, path: string): Promise<T | undefined> {
  const answer = await ask({ socketPath }, path, ANSWER_MS);
  try {
    return typeof answer === 'string' ? undefined : (JSON.parse(answer.text) as T);
  } catch {
    return undefined;
  }
}
