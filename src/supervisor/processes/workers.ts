/** The worker processes, on `node:cluster`: forks, orders and kills them, and reports what happens to them. */
import type { Worker } from 'node:cluster';
import type { ChildProcess } from 'node:child_process';
import { errors, ServiceError } from '../../errors.js';
import { portOwner } from '../../platform/port-owner.js';
import type { OomWatch } from '../../platform/memory.js';
import type { UsageSource } from '../../platform/process-usage.js';
import { unableToListen } from '../../platform/system-errors.js';
import { forkFailureText } from '../../platform/system-errors.js';
import type { Address } from '../../protocol/address.js';
import type { HeartbeatRecords } from '../../protocol/heartbeat-records.js';
import { errorLine } from '../../logging/loggable.js';
import { CONTROL_SOCKET, LISTENER_OFFER, SERVICE, SLOT, type FromWorker } from '../../protocol/messages.js';
import type { App } from '../app-file/load.js';
import type { BootFailure, Event, SlotId, WorkerId } from '../core/model.js';
import { openChannel, type WorkerChannel } from './channel.js';
import { createChannelMeter, MAX_UNFINISHED_BYTES } from './channel-limits.js';
import { inFaultContext, outsideFaultContext, type ListenError } from './fault-context.js';
import { forkProcess } from './fork.js';
import { createHeartbeatMonitor, type HeartbeatMonitor } from './heartbeats.js';
import { createHelpers, type Helpers } from './helpers.js';
import type { Listener } from './listener.js';
import type { Rival } from './port-guard.js';

/** A process as the supervisor keeps it. */
export interface Process {
  readonly id: WorkerId;
  readonly pid: number;
  /** By `performance.now()`: the wall clock may be set meanwhile. */
  readonly forkedAt: number;
}

export type Report = Extract<Event, { worker: WorkerId }> | ProcessNotice;

/** What happens to a process without any effect on the pool: only the log needs it. */
export type ProcessNotice =
  | { readonly type: 'worker.online'; readonly worker: WorkerId }
  /** It has broken its channel, or sent what made the supervisor throw; it has been killed for that. */
  | { readonly type: 'worker.misbehaved'; readonly worker: WorkerId; readonly reason: string }
  /** It cannot write heartbeats any more. */
  | { readonly type: 'worker.heartbeats-lost'; readonly worker: WorkerId }
  /** It has called `listen`, and the system has refused. */
  | { readonly type: 'worker.listen-failed'; readonly worker: WorkerId; readonly reason: string };

export const isProcessNotice = (report: Report): report is ProcessNotice =>
  ['worker.online', 'worker.misbehaved', 'worker.heartbeats-lost', 'worker.listen-failed'].includes(
    report.type,
  );

export interface ForkRequest {
  readonly id: WorkerId;
  readonly slot: SlotId;
  readonly app: App;
  readonly variables: Readonly<Record<string, string>>;
}

export interface Workers {
  /** @returns the process, or nothing if the operating system refused; that is reported as `fork.failed`, too */
  fork(request: ForkRequest): Process | undefined;
  order(id: WorkerId, how: 'stop' | 'retire'): void;
  kill(id: WorkerId): void;
  lend(slot: SlotId, to: WorkerId): void;
  takeBack(slot: SlotId, from: WorkerId): void;
  /** Requests the usage of all workers that know our messages. */
  askUsage(): void;
  /**
   * Closes the addresses on which none of these workers listens: a reload may have moved the service to another.
   * @returns false if one of them has not asked for its socket yet: nothing is closed then
   */
  keepAddressesOf(ids: readonly WorkerId[]): boolean;
}

/** What the workers are given, and where reports go. */
export interface WorkerNeeds {
  readonly listener: Listener;
  /** Without them heartbeats are not monitored. */
  readonly heartbeatRecords: HeartbeatRecords | undefined;
  readonly oomWatch: OomWatch;
  readonly usage: UsageSource;
  readonly controlSocket: string;
  /** The number of the service. */
  readonly service: number;
  report(event: Report): void;
}

interface RunningWorker extends ForkRequest {
  readonly child: ChildProcess;
  readonly channel: WorkerChannel;
  /** Ended with it; `undefined` with `treekill: false`. */
  readonly helpers: Helpers | undefined;
  /** Where it listens on a socket of ours, once it has asked for one; a worker gets one address. */
  address: Address | undefined;
  isReady: boolean;
  /** Why it does not listen, where it has called `listen`. */
  listenFailure: BootFailure | undefined;
  /** It has been ordered to drain, or drains unasked: it is not monitored any more. */
  isLeaving: boolean;
  /** It has been ordered to drain, and gets no socket any more. */
  isOrdered: boolean;
  /** It has misbehaved and been killed; its messages are ignored. */
  isBroken: boolean;
  /** Slots whose sockets it accepts on besides its own. */
  readonly borrowed: Set<SlotId>;
}

interface Context extends WorkerNeeds {
  readonly running: Map<WorkerId, RunningWorker>;
  /** Where the last worker of each slot that asked for a socket listens: its successor will, too. */
  readonly addresses: Map<SlotId, Address>;
  readonly heartbeats: HeartbeatMonitor | undefined;
}

export function createWorkers(needs: WorkerNeeds): Workers {
  const { listener, heartbeatRecords: records, report } = needs;
  const running = new Map<WorkerId, RunningWorker>();
  const heartbeats =
    records &&
    createHeartbeatMonitor({
      records,
      lends: listener.mode === 'per-slot',
      report,
      send: (id, message) => running.get(id)?.channel.send(message),
    });
  const context: Context = { ...needs, running, addresses: new Map(), heartbeats };

  return {
    fork: request => fork(request, context),
    order(id, how) {
      const worker = running.get(id);
      if (worker === undefined) return;
      heartbeats?.remove(id);
      worker.isLeaving = true;
      worker.isOrdered = true;
      worker.helpers?.find();
      sendOrder(worker, how);
    },
    kill(id) {
      const worker = running.get(id);
      if (worker !== undefined) kill(worker);
    },
    lend(slot, to) {
      const borrower = running.get(to);
      const handle = borrower?.address && listener.lendable(slot, borrower.address);
      if (borrower === undefined || handle === undefined) return;
      borrower.borrowed.add(slot);
      borrower.channel.send({ type: 'cabe:listener.lent', slot }, handle);
    },
    takeBack(slot, from) {
      const borrower = running.get(from);
      if (borrower?.borrowed.delete(slot)) borrower.channel.send({ type: 'cabe:listener.returned', slot });
    },
    askUsage() {
      for (const { channel, app } of running.values())
        if (app.ours) channel.send({ type: 'cabe:usage.wanted' });
    },
    keepAddressesOf(ids) {
      const addresses = ids.flatMap(id => running.get(id)?.address ?? []);
      const areAllKnown = addresses.length === ids.length;
      if (areAllKnown) listener.keep(addresses);
      return areAllKnown;
    },
  };
}

const UNFINISHED = `a message of more than ${MAX_UNFINISHED_BYTES / 2 ** 20} MB without an end`;

function fork(request: ForkRequest, context: Context): Process | undefined {
  const { id, app, variables } = request;
  const { listener, heartbeatRecords, controlSocket, service, report, running } = context;
  const offer = {
    [CONTROL_SOCKET]: controlSocket,
    [SLOT]: String(request.slot),
    [SERVICE]: String(service),
    ...(listener.offers ? { [LISTENER_OFFER]: '1' } : {}),
  };
  const onFault = (error: unknown): boolean => blame(id, error, context);
  const meter = createChannelMeter();
  let hasEnded = false;
  const handlers = {
    // Messages that have been read before the exit may still be handled after it.
    onException: (error: unknown) => onFault(error) || !hasEnded,
    onRead() {
      // What throws in a hook ends the process; kills and log lines are for later.
      if (!meter.countRead()) outsideFaultContext(() => setImmediate(onFault, new Error(UNFINISHED)));
    },
    onListenError: (error: ListenError) => noteListenError(id, error, context),
  };
  let worker: Worker;
  try {
    const env = { ...app.env, ...variables, ...offer };
    worker = inFaultContext(handlers, () => forkProcess(app, env, heartbeatRecords?.fd));
  } catch (error) {
    report({ type: 'fork.failed', worker: id, message: forkFailure(error as Error, app) });
    return undefined;
  }
  const { pid } = worker.process;
  // After exit and end of the channel, at which node:cluster may throw; messages that wait come first.
  worker.process.once('close', () => setImmediate(() => (hasEnded = true)));
  const receive = (message: FromWorker): void => handleMessage(id, message, context);
  const isOver = (): boolean => running.get(id)?.isBroken !== false;
  const channel = openChannel(worker, { meter, isOver, receive, onFault });
  running.set(id, {
    ...request,
    child: worker.process,
    channel,
    helpers: app.treekill && pid !== undefined ? createHelpers(pid) : undefined,
    address: undefined,
    isReady: false,
    listenFailure: undefined,
    isLeaving: false,
    isOrdered: false,
    isBroken: false,
    borrowed: new Set(),
  });
  observe(request, worker, context);
  return pid === undefined ? undefined : { id, pid, forkedAt: performance.now() };
}

const forkFailure = (error: Error, { cwd, runAs }: App): string =>
  forkFailureText(error, { cwd, uid: runAs?.uid });

function observe({ id, app }: ForkRequest, worker: Worker, context: Context): void {
  const { running, heartbeats, oomWatch, report } = context;
  const send = (event: Report): void => outsideFaultContext(() => report(event));
  worker
    // A worker can say so any number of times.
    .once('online', () => send({ type: 'worker.online', worker: id }))
    .on('listening', () => {
      const listening = running.get(id);
      if (listening !== undefined) listening.listenFailure = undefined;
      send({ type: 'worker.listening', worker: id });
    })
    // A draining worker may have started further helpers; once it has exited they have no parent to find them by.
    .on('disconnect', () => {
      const leaving = running.get(id);
      if (leaving?.isOrdered === true) leaving.helpers?.find();
    })
    .on('error', (error: Error) => {
      // With a pid it is a message that could not be delivered: the exit follows. Without one the fork has failed.
      if (worker.process.pid !== undefined) return;
      running.delete(id);
      send({ type: 'fork.failed', worker: id, message: forkFailure(error, app) });
    });
  // Before node:cluster hears of it, which may fail at a worker that has misbehaved.
  worker.process.prependOnceListener('exit', (code: number | null, signal: string | null) =>
    outsideFaultContext(() => {
      const gone = running.get(id);
      heartbeats?.remove(id);
      // Only kills that are not ours can be the kernel's.
      const outOfMemory = signal === 'SIGKILL' && !worker.process.killed && oomWatch.claimKill();
      const exit = { worker: id, code: signal === null ? code : null, signal, outOfMemory };
      const finish = (): void => {
        running.delete(id);
        const failure = gone?.listenFailure;
        if (failure !== undefined && code !== 0) report({ type: 'worker.boot-failed', worker: id, failure });
        report({ type: 'worker.exited', ...exit });
      };
      if (gone?.helpers === undefined) finish();
      else gone.helpers.end(finish);
    }),
  );
}

function handleMessage(id: WorkerId, message: FromWorker, context: Context): void {
  const { heartbeats, usage, report } = context;
  const worker = context.running.get(id);
  if (worker === undefined || worker.isBroken) return;
  if (message === 'ready') return noteReady(worker, context);
  switch (message.type) {
    case 'cabe:boot-failed': {
      const { code, message: reason } = message;
      return report({ type: 'worker.boot-failed', worker: id, failure: { code, message: reason } });
    }
    case 'cabe:listener.wanted':
      return answerListenerRequest(worker, message, context);
    case 'cabe:draining':
      worker.isLeaving = true;
      heartbeats?.remove(id);
      return report({ type: 'worker.draining', worker: id, code: message.code, reason: message.reason });
    case 'cabe:usage':
      return usage.record(worker.child.pid ?? 0, message);
    case 'cabe:busy':
      return heartbeats?.resume();
    case 'cabe:heartbeat.lost':
      if (heartbeats?.lose(id) === true) report({ type: 'worker.heartbeats-lost', worker: id });
      return;
  }
}

/** A worker becomes ready once, however often it says so. */
function noteReady(worker: RunningWorker, context: Context): void {
  if (worker.isReady) return;
  worker.isReady = true;
  const { address } = worker;
  if (address === undefined) return becomeReady(worker, context);
  context.listener.settle(address, rival =>
    rival === undefined ? becomeReady(worker, context) : giveWay(worker, address, rival, context),
  );
}

/** Another service listens on its port, too: for a client it would be chance which of the two it reaches. */
function giveWay(worker: RunningWorker, address: Address, { holder }: Rival, { report }: Context): void {
  const { exitCode: code, message } = errors.portTaken(address, holder);
  worker.isLeaving = true;
  worker.isOrdered = true;
  report({ type: 'worker.boot-failed', worker: worker.id, failure: { code, message } });
  sendOrder(worker, 'retire');
}

function becomeReady(worker: RunningWorker, { heartbeats, running, report }: Context): void {
  if (!running.has(worker.id) || worker.isBroken) return;
  report({ type: 'worker.ready', worker: worker.id });
  const knowsUs = worker.app.ours || worker.address !== undefined;
  if (knowsUs && !worker.isLeaving) heartbeats?.add(worker.id);
}

function answerListenerRequest(worker: RunningWorker, { port, host }: Address, context: Context): void {
  if (worker.isOrdered || worker.address !== undefined) return;
  const address = { port, host };
  worker.address = address;
  const { handle, error } = context.listener.socketOf(worker.slot, address);
  worker.channel.send({ type: 'cabe:listener', error }, handle);
  if (error === undefined) moveSlot(worker.slot, address, context);
}

/** A worker may ask for another address than the one before it in its slot, at every start. */
function moveSlot(slot: SlotId, address: Address, { addresses, running, listener }: Context): void {
  const former = addresses.get(slot);
  addresses.set(slot, address);
  const ofWorkers = [...running.values()].flatMap(worker => worker.address ?? []);
  if (former !== undefined) listener.leave(former, [...addresses.values(), ...ofWorkers]);
}

function kill({ child, helpers }: RunningWorker): void {
  helpers?.find();
  child.kill('SIGKILL');
  helpers?.kill();
}

function sendOrder({ app, channel, child }: RunningWorker, how: 'stop' | 'retire'): void {
  if (!app.shutdownWithMessage || !channel.isConnected)
    return void child.kill(app.shutdownWithMessage ? 'SIGTERM' : app.killSignal);
  // Other apps get only what PM2 would send.
  if (how === 'retire' && app.ours) channel.send({ type: 'cabe:retire' });
  channel.send('shutdown');
}

/** A worker that listens by itself gets on with it or exits; what it exits for is then known. */
function noteListenError(id: WorkerId, error: ListenError, { running, report }: Context): void {
  const worker = running.get(id);
  const { port = 0, address } = error;
  const host = address === '::' || address === '0.0.0.0' ? undefined : address;
  const named = unableToListen(error, { port, host }, portOwner);
  if (worker === undefined || !(named instanceof ServiceError)) return;
  worker.listenFailure = { code: named.exitCode, message: named.message };
  report({ type: 'worker.listen-failed', worker: id, reason: named.message });
}

/** Its channel cannot be trusted any more, and a worker without one cannot be led: it is replaced. */
function blame(id: WorkerId, error: unknown, { running, report }: Context): boolean {
  const worker = running.get(id);
  if (worker === undefined) return false;
  if (worker.isBroken) return true;
  worker.isBroken = true;
  report({ type: 'worker.misbehaved', worker: id, reason: errorLine(error) });
  kill(worker);
  return true;
}
