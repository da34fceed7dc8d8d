/** Processes on `node:cluster`: forks, orders and kills them, and reports what becomes of them. */
import cluster, { type Worker } from 'node:cluster';
import type { App } from '../app-file/load.js';
import type { Listener } from './listener.js';
import { isFromWorker, LISTENER_OFFER, type FromWorker, type ToWorker } from '../../protocol/messages.js';
import type { Event, SlotId, WorkerId } from '../core/model.js';
import { createPulseMonitor } from './heartbeats.js';
import type { UsageSource } from '../../platform/process-usage.js';
import type { Address } from '../../protocol/address.js';
import type { PulseBoard } from '../../protocol/heartbeat-records.js';

/** A process as the supervisor holds it. */
export interface Process {
  readonly id: WorkerId;
  readonly pid: number;
  /** By `performance.now()`: the wall clock may be set meanwhile. */
  readonly forkedAt: number;
}

export type Report =
  Extract<Event, { worker: WorkerId }> | { readonly type: 'worker.online'; readonly worker: WorkerId };

export interface Workers {
  /** @returns the process, or nothing if the operating system refused; that is reported as `fork.failed`, too. */
  fork(request: {
    id: WorkerId;
    slot: SlotId;
    app: App;
    variables: Readonly<Record<string, string>>;
  }): Process | undefined;
  order(id: WorkerId, how: 'stop' | 'retire'): void;
  kill(id: WorkerId): void;
  lend(slot: SlotId, to: WorkerId): void;
  takeBack(slot: SlotId, from: WorkerId): void;
  /** Asks those who know our words for their usage. */
  askUsage(): void;
  /**
   * Closes the addresses on which none of these workers listens: a reload may have moved the service to another.
   * @returns whether that could be told: where one has not asked for its socket yet, nothing is closed
   */
  keepAddressesOf(ids: readonly WorkerId[]): boolean;
}

interface Held {
  readonly worker: Worker;
  readonly app: App;
  readonly slot: SlotId;
  /** Where it listens on a socket of ours, once it has asked for one. */
  address: Address | undefined;
  /** It has been told to leave, and gets no socket any more. */
  isOrdered: boolean;
  /** Slots whose sockets it accepts on besides its own. */
  readonly borrowed: Set<SlotId>;
}

/** What the workers are given, and who is told what becomes of them. */
export interface WorkerNeeds {
  readonly listener: Listener;
  /** Where they show their pulse; without it none is felt. */
  readonly board: PulseBoard | undefined;
  readonly usage: UsageSource;
  report(event: Report): void;
}

export function createWorkers({ listener, board, usage, report }: WorkerNeeds): Workers {
  const held = new Map<WorkerId, Held>();
  const pulses = board && createPulseMonitor({ board, report, tell: tellTo });
  // The board's number in the worker is its place here: `BOARD_FD`.
  const descriptors = ['inherit', 'inherit', 'inherit', 'ipc', ...(board === undefined ? [] : [board.fd])];

  function fork({ id, slot, app, variables }: Parameters<Workers['fork']>[0]): Process | undefined {
    cluster.setupPrimary({
      exec: app.script,
      args: [...app.args],
      cwd: app.cwd,
      execArgv: [...process.execArgv, ...app.nodeArgs],
      stdio: descriptors,
    });
    const env = {
      ...app.env,
      ...variables,
      ...(listener.offers ? { [LISTENER_OFFER]: '1' } : {}),
    };
    let worker: Worker;
    try {
      worker = cluster.fork(exactly(env));
    } catch (error) {
      // Node tells some refusals by an event (EAGAIN, EMFILE, ENOENT) and throws all others (E2BIG, ENOMEM, ENOTDIR).
      report({ type: 'fork.failed', worker: id, message: (error as Error).message });
      return undefined;
    }
    held.set(id, { worker, app, slot, address: undefined, isOrdered: false, borrowed: new Set() });
    observe(id, worker);
    const { pid } = worker.process;
    return pid === undefined ? undefined : { id, pid, forkedAt: performance.now() };
  }

  function tellTo(id: WorkerId, message: ToWorker): void {
    const asked = held.get(id);
    if (asked !== undefined) tell(asked.worker, message);
  }

  function observe(id: WorkerId, worker: Worker): void {
    worker
      .on('online', () => report({ type: 'worker.online', worker: id }))
      .on('listening', () => report({ type: 'worker.listening', worker: id }))
      .on('message', message => {
        if (isFromWorker(message)) received(id, worker, message);
      })
      .on('exit', (code: number | null, signal: string | null) => {
        held.delete(id);
        pulses?.forget(id);
        report({ type: 'worker.exited', worker: id, code: signal === null ? code : null, signal });
      })
      .on('error', (error: Error) => {
        // Without a pid it is the fork that failed; otherwise a message that could not be delivered, and the exit will tell.
        if (worker.process.pid !== undefined) return;
        held.delete(id);
        report({ type: 'fork.failed', worker: id, message: error.message });
      });
  }

  function received(id: WorkerId, worker: Worker, message: FromWorker): void {
    if (message === 'ready') {
      report({ type: 'worker.ready', worker: id });
      if (held.get(id)?.address !== undefined) pulses?.watch(id);
      return;
    }
    switch (message.type) {
      case 'boot-failed':
        return report({
          type: 'worker.boot-failed',
          worker: id,
          failure: { code: message.code, message: message.message },
        });
      case 'listener.wanted': {
        const asking = held.get(id);
        if (asking === undefined || asking.isOrdered) return;
        asking.address = { port: message.port, host: message.host };
        const { handle, error } = listener.socketOf(asking.slot, message);
        return tell(worker, error === undefined ? { type: 'listener' } : { type: 'listener', error }, handle);
      }
      case 'leaving':
        pulses?.forget(id);
        return report({ type: 'worker.draining', worker: id, code: message.code });
      case 'usage':
        return usage.told(worker.process.pid ?? 0, message);
      case 'roused':
        return pulses?.roused();
    }
  }

  function order(id: WorkerId, how: 'stop' | 'retire'): void {
    const process = held.get(id);
    if (process === undefined) return;
    pulses?.forget(id);
    process.isOrdered = true;
    const { app, worker } = process;
    if (!app.shutdownWithMessage || !worker.isConnected())
      return void worker.process.kill(app.shutdownWithMessage ? 'SIGTERM' : app.killSignal);
    // Other apps hear nothing that PM2 would not say.
    if (how === 'retire' && app.ours) tell(worker, { type: 'retire' });
    tell(worker, 'shutdown');
  }

  function lend(slot: SlotId, to: WorkerId): void {
    const borrower = held.get(to);
    if (borrower?.address === undefined) return;
    const handle = listener.lendable(slot, borrower.address);
    if (handle === undefined) return;
    borrower.borrowed.add(slot);
    tell(borrower.worker, { type: 'listener.lent', slot }, handle);
  }

  return {
    fork,
    order,
    lend,
    kill: id => void held.get(id)?.worker.process.kill('SIGKILL'),
    askUsage() {
      for (const { worker, app } of held.values()) if (app.ours) tell(worker, { type: 'usage.wanted' });
    },
    keepAddressesOf(ids) {
      const addresses = ids.flatMap(id => held.get(id)?.address ?? []);
      const isKnown = addresses.length === ids.length;
      if (isKnown) listener.keep(addresses);
      return isKnown;
    },
    takeBack(slot, from) {
      const borrower = held.get(from);
      if (borrower?.borrowed.delete(slot)) tell(borrower.worker, { type: 'listener.returned', slot });
    },
  };
}

/** Sends to a worker that may be dying: what cannot be delivered is answered by its exit. */
function tell(worker: Worker, message: ToWorker, handle?: unknown): void {
  if (!worker.isConnected()) return;
  worker.process.send(message, handle as never, undefined, () => undefined);
}

/** The environment of a worker, no less and no more: `cluster.fork` would add our own to it. */
function exactly(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const nothing = Object.fromEntries(Object.keys(process.env).map(name => [name, undefined]));
  return { ...nothing, ...env };
}
