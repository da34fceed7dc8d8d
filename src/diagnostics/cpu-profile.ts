/** A CPU profile of the main thread, taken by the observer thread: it also shows what keeps a blocked loop busy. */
import { writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../platform/deadline.js';

/** The main thread begins within this time, unless it runs no JavaScript at all. */
const BEGIN_MS = 5_000;

/** How long the end of a profile may take: V8 then builds it. */
const END_MS = 30_000;

/** @throws Error with a reason for the one who asked */
export async function writeCpuProfile(file: string, seconds: number): Promise<void> {
  const session = new Session();
  session.connectToMainThread();
  try {
    await within(BEGIN_MS, post(session, 'Profiler.enable'), runsNoJavaScript);
    await within(BEGIN_MS, post(session, 'Profiler.start'), runsNoJavaScript);
    await sleep(seconds * 1_000);
    const { profile } = await within(END_MS, stop(session), runsNoJavaScript);
    writeFileSync(file, JSON.stringify(profile), { flag: 'wx', mode: 0o600 });
  } finally {
    session.disconnect();
  }
}

function post(session: Session, method: 'Profiler.enable' | 'Profiler.start'): Promise<void> {
  return new Promise((resolve, reject) =>
    session.post(method, error => (error === null ? resolve() : reject(error))),
  );
}

function stop(session: Session): Promise<Profiler.StopReturnType> {
  return new Promise((resolve, reject) =>
    session.post('Profiler.stop', (error, result) => (error === null ? resolve(result) : reject(error))),
  );
}

function runsNoJavaScript(): never {
  throw new Error('the main thread runs native code and no JavaScript');
}
