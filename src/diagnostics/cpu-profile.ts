/** A CPU profile of the main thread, taken by the observer thread: it also shows what keeps a blocked loop busy. */
import { writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';

/** The main thread begins within this time, unless it runs no JavaScript at all. */
const BEGIN_MS = 5_000;

/** How long the end of a profile may take: V8 then builds it. */
const END_MS = 30_000;

/** @throws Error with a reason for the one who asked */
export async function writeCpuProfile(file: string, seconds: number): Promise<void> {
  const session = new Session();
  session.connectToMainThread();
  try {
    await within(post(session, 'Profiler.enable'), BEGIN_MS);
    await within(post(session, 'Profiler.start'), BEGIN_MS);
    await sleep(seconds * 1_000);
    const { profile } = await within(stop(session), END_MS);
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

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error('the main thread runs native code and no JavaScript');
  });
  late.catch(() => undefined); // it is aborted, or nothing waits any more
  return Promise.race([promise, late]).finally(() => timer.abort());
}
