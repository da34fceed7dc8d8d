/**
 * Reports the state of the service to systemd (`Type=notify`, sd_notify(3)). Node has no datagram sockets, so systemd's
 * own `systemd-notify` sends the messages; the unit must allow that with `NotifyAccess=all`. A message that cannot be
 * sent is one warning, and never ends the service.
 */
import { spawn } from 'node:child_process';
import { healthOf, servedCount } from '../core/health.js';
import type { Pool } from '../core/model.js';
import type { Log } from './log.js';

/** The assignments of one message, such as `READY=1`. */
export type Message = readonly string[];

export interface ServiceManager {
  /** Whether systemd wants messages. */
  readonly isPresent: boolean;
  /** What a supervisor needs in its environment to take over from this one. */
  readonly variables: Readonly<Record<string, string>>;
  /** Call it after every change of the pool. */
  follow(pool: Pool): void;
  /** This process is the main one of the service from now on. @throws Error if systemd cannot be notified */
  lead(): Promise<void>;
}

export interface ServiceManagerNeeds {
  /** The environment of the supervisor; the variables of sd_notify(3) are removed from it: they are not for workers. */
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** While another supervisor is in charge, only {@link ServiceManager.lead} sends anything. */
  isInCharge(): boolean;
  readonly send?: (message: Message, env: NodeJS.ProcessEnv) => Promise<void>;
}

/** Does nothing unless systemd has set `NOTIFY_SOCKET`. */
export function createServiceManager(needs: ServiceManagerNeeds): ServiceManager {
  const { env, log, isInCharge, send = runNotify } = needs;
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUsec, WATCHDOG_PID: watchdogPid } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined) return ABSENT;

  const notify = (message: Message): Promise<void> => send(message, { ...env, NOTIFY_SOCKET: socket });
  const sender = createSender(notify, log);
  const isWatched = watchdogPid === undefined || watchdogPid === String(process.pid);
  const watchdogMs = isWatched ? Number(watchdogUsec ?? 0) / 1_000 : 0;
  // Half the limit, as sd_watchdog_enabled(3) recommends. A supervisor whose event loop is blocked sends nothing.
  const beat = (): void => {
    if (isInCharge()) sender.send(['WATCHDOG=1']);
  };
  if (watchdogMs > 0) setInterval(beat, watchdogMs / 2).unref();

  let last: Announced = { phase: 'starting', status: '' };
  return {
    isPresent: true,
    // Not WATCHDOG_PID, which is ours.
    variables: { NOTIFY_SOCKET: socket, ...(watchdogMs > 0 ? { WATCHDOG_USEC: String(watchdogUsec) } : {}) },
    follow(pool) {
      if (!isInCharge()) return;
      const now = announcedOf(pool, last.phase);
      const message = messageFor(last, now, process.hrtime.bigint());
      last = now;
      if (message.length > 0) sender.send(message);
    },
    lead() {
      const message = [`MAINPID=${process.pid}`, ...(watchdogMs > 0 ? ['WATCHDOG=1'] : [])];
      return notify(message).catch((error: unknown) => {
        throw new Error(unheard(error), { cause: error });
      });
    },
  };
}

const ABSENT: ServiceManager = {
  isPresent: false,
  variables: {},
  follow: () => undefined,
  lead: () => Promise.resolve(),
};

/** systemd's view of a service. */
type Phase = 'starting' | 'running' | 'reloading' | 'stopping';

export interface Announced {
  readonly phase: Phase;
  /** The text in `systemctl status`. */
  readonly status: string;
}

/** The service counts as running once a worker has been ready: the port answers, and units that need it may start. */
export function announcedOf(pool: Pool, before: Phase): Announced {
  const health = healthOf(pool);
  const served = servedCount(pool);
  const status = `${health}: ${served} of ${pool.wanted} workers serve`;
  if (pool.verdict !== undefined) return { phase: 'stopping', status };
  if (before === 'starting' && served === 0 && !pool.everReady) return { phase: 'starting', status };
  const isReloading = pool.reload !== undefined || pool.loading;
  return { phase: isReloading ? 'reloading' : 'running', status };
}

/** @param monotonicNs CLOCK_MONOTONIC, which `Type=notify-reload` demands with `RELOADING=1` */
export function messageFor(before: Announced, now: Announced, monotonicNs: bigint): Message {
  const message: string[] = [];
  if (now.phase !== before.phase) {
    if (now.phase === 'running') message.push('READY=1');
    if (now.phase === 'reloading') message.push('RELOADING=1', `MONOTONIC_USEC=${monotonicNs / 1_000n}`);
    if (now.phase === 'stopping') message.push('STOPPING=1');
  }
  if (now.status !== before.status) message.push(`STATUS=${now.status}`);
  return message;
}

/** Sends one message at a time, in order; a status that waits is replaced by a later one. */
function createSender(send: (message: Message) => Promise<void>, log: Log): { send(message: Message): void } {
  const waiting: Message[] = [];
  let isSending = false;
  let hasFailed = false;

  async function sendAll(): Promise<void> {
    isSending = true;
    for (let message = waiting.shift(); message !== undefined; message = waiting.shift())
      await send(message).catch((error: unknown) => {
        if (!hasFailed) log({ level: 'warn', msg: unheard(error) });
        hasFailed = true;
      });
    isSending = false;
  }

  return {
    send(message) {
      if (isStatusOnly(waiting.at(-1)) && isStatusOnly(message)) waiting.pop();
      waiting.push(message);
      if (!isSending) void sendAll();
    },
  };
}

const unheard = (error: unknown): string => `systemd gets no messages: ${(error as Error).message}`;

const isStatusOnly = (message: Message | undefined): boolean =>
  message?.length === 1 && message[0]?.startsWith('STATUS=') === true;

/** @throws Error if `systemd-notify` is missing or fails */
function runNotify(message: Message, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-notify', message, {
      env: { PATH: env['PATH'], NOTIFY_SOCKET: env['NOTIFY_SOCKET'] },
      stdio: 'ignore',
      timeout: 5_000,
    });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      code === 0
        ? resolve()
        : reject(new Error(`systemd-notify ended with ${signal ?? `exit code ${String(code)}`}`)),
    );
  });
}
