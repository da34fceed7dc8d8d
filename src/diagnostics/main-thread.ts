/** What only the main thread can write, because it is about its own heap and its own handles. The loop waits meanwhile. */
import { chmodSync, writeFileSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { writeHeapSnapshot } from 'node:v8';
import { machineMs } from '../observability/loop-stats.js';

/** A blocked loop gets no messages: a heap snapshot of it is refused then, in ms. */
const BEGIN_MS = 5_000;

interface Task {
  readonly kind: 'heap' | 'report';
  readonly file: string;
  /** By {@link machineMs}: nothing waits for it any more. */
  readonly until: number;
}

type Answer = { readonly type: 'begun' } | { readonly type: 'done'; readonly error: string | undefined };

/** The main thread's side. */
export function takeTasks(port: MessagePort): void {
  port.on('message', (task: Task) => {
    if (machineMs() > task.until) return;
    const answer = (one: Answer): void => port.postMessage(one);
    answer({ type: 'begun' });
    try {
      if (task.kind === 'heap') writeSnapshot(task.file);
      else writeReport(task.file);
      answer({ type: 'done', error: undefined });
    } catch (error) {
      answer({ type: 'done', error: (error as Error).message });
    }
  });
  port.unref();
}

function writeSnapshot(file: string): void {
  writeHeapSnapshot(file);
  chmodSync(file, 0o600);
}

/** Node's own report, without the environment, which may hold credentials, and without lookups of the peers' names. */
function writeReport(file: string): void {
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { environmentVariables?: unknown };
  delete report.environmentVariables;
  writeFileSync(file, JSON.stringify(report, null, 2), { flag: 'wx', mode: 0o600 });
}

/**
 * The observer thread's side: one task at a time.
 * @throws Error with a reason for the one who asked
 */
export function runOnMainThread(port: MessagePort, kind: Task['kind'], file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      port.off('message', receive);
      reject(new Error('its event loop is blocked; a CPU profile shows by what'));
    }, BEGIN_MS);
    function receive(answer: Answer): void {
      clearTimeout(timer);
      if (answer.type === 'begun') return;
      port.off('message', receive);
      if (answer.error === undefined) resolve();
      else reject(new Error(answer.error));
    }
    port.on('message', receive);
    port.postMessage({ kind, file, until: machineMs() + BEGIN_MS } satisfies Task);
  });
}
