/** A native service in trouble: brought into each of the states that `status` tells apart. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CLUSTER, folder, freePort, start, until, type Ended } from './processes.js';
import { appFile, OUR_FIELDS, OUR_WORKER, serving, statusOf, type Service } from './service.js';

/**
 * Our own worker; a file `trouble` beside it says which slots crash a moment after their start, and by how many megabytes
 * a worker grows at SIGUSR2; otherwise that signal blocks its event loop for good.
 */
const PROGRAM = `
const { existsSync, readFileSync } = require('node:fs');
const file = require('node:path').join(__dirname, 'trouble');
const trouble = () => existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
const { crash = [] } = trouble();
process.on('SIGUSR2', () => {
  const { grow } = trouble();
  if (grow === undefined) for (;;);
  globalThis.hoard = Buffer.alloc(grow * 2 ** 20, 1);
});
if (crash.includes(Number(process.env.NODE_APP_INSTANCE)))
  setTimeout(() => { throw new Error('connect ECONNREFUSED 127.0.0.1:5432'); }, 300);
${OUR_WORKER}`;

/** Long enough delays for a look at a slot that waits for its next worker. */
const FIELDS = { ...OUR_FIELDS, name: 'cabe-arena-api', exp_backoff_restart_delay: 300 };

export interface Troubled extends Service {
  /** Its app file. */
  readonly file: string;
  /** From now on workers of these slots crash a moment after their start, or none do. */
  crash(...slots: readonly number[]): void;
  /** The first worker takes so many megabytes more. @returns its pid */
  grow(megabytes: number): Promise<number>;
  /** Writes the good build over the broken one. */
  repair(): void;
  /** Runs a command. */
  command(...args: readonly string[]): Promise<Ended & { readonly text: string }>;
}

/**
 * Two workers that serve.
 * @param launcher see `start` of `processes.ts`
 */
export async function healthy(fields: object = {}, launcher: readonly string[] = []): Promise<Troubled> {
  const file = appFile(PROGRAM, { ...FIELDS, ...fields });
  const env = { PORT: String(await freePort()), RUN_DIR: folder(), NO_COLOR: '1' };
  const running = start([CLUSTER, '--config', file], env, undefined, launcher);
  const trouble = join(dirname(file), 'trouble');
  await until(async () => (await serving({ env }).catch(() => [])).length === 2, 'both workers serve');
  return Object.assign(running, {
    port: Number(env.PORT),
    env,
    file,
    crash(...slots: readonly number[]) {
      writeFileSync(trouble, JSON.stringify({ crash: slots }));
    },
    async grow(megabytes: number) {
      const [victim = NaN] = await serving({ env });
      writeFileSync(trouble, JSON.stringify({ grow: megabytes }));
      process.kill(victim, 'SIGUSR2');
      return victim;
    },
    repair: () => writeFileSync(join(dirname(file), 'app.js'), PROGRAM),
    async command(...args: readonly string[]) {
      const command = start([CLUSTER, ...args, '--config', file], env);
      return { ...(await command.ended), text: command.text() };
    },
  });
}

/** One worker's event loop is blocked, and the supervisor has noticed. */
export async function hung(): Promise<Troubled> {
  const running = await healthy();
  const [victim = NaN] = await serving(running);
  process.kill(victim, 'SIGUSR2');
  await running.said(/^Worker \d+ hangs/);
  return running;
}

/** The worker of slot 0 crashes again and again, the other one serves. */
export async function crashLooping(): Promise<Troubled> {
  const running = await healthy();
  const [victim = NaN] = await serving(running);
  running.crash(0);
  process.kill(victim, 'SIGKILL');
  await untilInBackoff(running, [0], 6);
  return running;
}

/** No worker serves. */
export async function down(): Promise<Troubled> {
  const running = await healthy();
  const workers = await serving(running);
  running.crash(0, 1);
  for (const pid of workers) process.kill(pid, 'SIGKILL');
  await untilInBackoff(running, [0, 1], 5);
  return running;
}

/** A worker has been replaced by max_memory_restart. */
export async function replacedForMemory(): Promise<Troubled> {
  const running = await healthy({ max_memory_restart: '250M' });
  const victim = await running.grow(300);
  await running.said(new RegExp(`^Worker ${victim} disconnected$`));
  return running;
}

/** The kernel has killed a worker for want of memory. @param launcher of a group with a limit of 400 MB */
export async function outOfMemory(launcher: readonly string[]): Promise<Troubled> {
  const running = await healthy({}, launcher);
  const victim = await running.grow(500);
  await running.said(new RegExp(`^Worker ${victim} was killed by the kernel`));
  await until(async () => (await serving(running)).length === 2, 'its successor serves');
  return running;
}

/** A build that crashes has been written over the good one, and a reload of it has failed. */
export async function failedReload(): Promise<Troubled> {
  const running = await healthy();
  writeFileSync(join(dirname(running.file), 'app.js'), `throw new Error("Cannot find module 'left-pad'");`);
  await running.command('reload');
  await until(async () => (await statusOf(running)).workers.length === 2, 'the new worker has left');
  return running;
}

/** Resolves when these slots wait for their next workers, after so many restarts each. */
const untilInBackoff = (running: Service, slots: readonly number[], count: number): Promise<void> =>
  until(
    async () => {
      const { workers } = await statusOf(running);
      const waiting = workers.filter(({ state, restarts }) => state === 'backoff' && restarts === count);
      // The exit of a worker that still drains is not listed yet.
      return waiting.length === slots.length && workers.every(({ state }) => state !== 'draining');
    },
    `slots ${slots.join(' and ')} wait after ${count} restarts`,
  );
