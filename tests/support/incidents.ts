/** A native service in trouble: brought into each of the states that `status` tells apart. */
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CLUSTER, folder, freePort, start, until, type Ended } from './processes.js';
import { appFile, OUR_FIELDS, OUR_WORKER, serving, statusOf, type Service } from './service.js';

/** Our own worker; a file `trouble` beside it says which slots fail, and SIGUSR2 blocks its event loop for good. */
const PROGRAM = `
const { existsSync, readFileSync } = require('node:fs');
const file = require('node:path').join(__dirname, 'trouble');
const { crash = [] } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
process.on('SIGUSR2', () => { for (;;); });
if (crash.includes(Number(process.env.NODE_APP_INSTANCE)))
  setTimeout(() => { throw new Error('connect ECONNREFUSED 127.0.0.1:5432'); }, 300);
${OUR_WORKER}`;

export interface Troubled extends Service {
  /** Its app file. */
  readonly file: string;
  /** From now on workers of these slots crash a moment after their start. */
  crash(...slots: readonly number[]): void;
  /** Runs a command. */
  command(...args: readonly string[]): Promise<Ended & { readonly text: string }>;
}

/** Two workers that serve. */
export async function healthy(fields: object = {}): Promise<Troubled> {
  const file = appFile(PROGRAM, { ...OUR_FIELDS, exp_backoff_restart_delay: 100, ...fields });
  const env = { PORT: String(await freePort()), RUN_DIR: folder(), NO_COLOR: '1' };
  const running = start([CLUSTER, '--config', file], env);
  const trouble = join(dirname(file), 'trouble');
  await until(async () => (await serving({ env }).catch(() => [])).length === 2, 'both workers serve');
  return Object.assign(running, {
    port: Number(env.PORT),
    env,
    file,
    crash(...slots: readonly number[]) {
      if (slots.length === 0) rmSync(trouble);
      else writeFileSync(trouble, JSON.stringify({ crash: slots }));
    },
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
  await until(async () => (await statusOf(running)).restartsLastMinute >= 6, 'six restarts');
  await untilInBackoff(running, [0]);
  return running;
}

/** No worker serves. */
export async function down(): Promise<Troubled> {
  const running = await healthy();
  const workers = await serving(running);
  running.crash(0, 1);
  for (const pid of workers) process.kill(pid, 'SIGKILL');
  await until(async () => (await statusOf(running)).restartsLastMinute >= 8, 'eight restarts');
  await untilInBackoff(running, [0, 1]);
  return running;
}

const untilInBackoff = (running: Service, slots: readonly number[]): Promise<void> =>
  until(
    async () => {
      const { workers } = await statusOf(running);
      return slots.every(slot => workers.some(row => row.slot === slot && row.state === 'backoff'));
    },
    `slots ${slots.join(' and ')} wait for their next workers`,
  );
