/** `diagnose`: a CPU profile, a heap snapshot or a report of one worker, natively and under PM2. */
import { errors } from '../errors.js';
import { askWorkers, type Asked } from '../observability/ask-workers.js';
import { orderDiagnosis } from '../diagnostics/over-socket.js';
import type { DiagnosticsKind } from '../diagnostics/request.js';
import { EXIT } from '../protocol/exit-codes.js';
import { sizeText } from '../supervisor/report/wording.js';
import { reach } from './client.js';
import type { CommandLine } from './command-line.js';
import { pm2WorkersInstead } from './pm2-workers.js';

/** What opens the file. */
const READERS: Readonly<Record<DiagnosticsKind, string>> = {
  cpu: "Open it in Chrome's DevTools (Performance), or in an editor that shows profiles",
  heap: "Open it in Chrome's DevTools (Memory); it holds everything that the worker had in memory",
  report: 'It is JSON, without the environment variables',
};

/** Prints the path of the file; the process exits with 1 and a reason if there is none. */
export async function diagnose(line: CommandLine): Promise<void> {
  const { diagnosis } = line;
  if (diagnosis === undefined) return;
  const workers = await workersOf(line);
  const worker = workers.find(({ slot }) => slot === diagnosis.slot);
  if (worker === undefined)
    throw errors.noWorker(
      diagnosis.slot,
      workers.map(({ slot }) => slot),
    );
  const duration = diagnosis.kind === 'cpu' ? `, ${diagnosis.seconds} s` : '';
  process.stderr.write(`${diagnosis.kind} of worker ${worker.pid} (slot ${worker.slot})${duration} …\n`);
  const outcome = await orderDiagnosis(worker.path, diagnosis);
  if (outcome.ok)
    process.stdout.write(`✓ ${outcome.file} (${sizeText(outcome.bytes)})\n  ${READERS[diagnosis.kind]}\n`);
  else process.stdout.write(`✗ ${diagnosis.kind} failed: ${outcome.reason}\n`);
  process.exitCode = outcome.ok ? EXIT.ok : EXIT.internal;
}

/** The newest process of each slot that answers and serves. */
async function workersOf(line: CommandLine): Promise<Asked[]> {
  const oldestFirst = (await nativeWorkers(line))
    .filter(({ snapshot }) => snapshot?.phase === 'serving')
    .toSorted((one, other) => uptime(other) - uptime(one));
  const newest = new Map(oldestFirst.map(worker => [worker.slot, worker]));
  return [...newest.values()].toSorted((one, other) => one.slot - other.slot);
}

const uptime = ({ snapshot }: Asked): number => snapshot?.gauges.uptimeSeconds ?? 0;

/** The workers of the native supervisor; where there is none, those of PM2. */
async function nativeWorkers(line: CommandLine): Promise<readonly Asked[]> {
  try {
    const { status } = await reach(line);
    const pids = new Set(status.workers?.map(({ pid }) => pid));
    return (await askWorkers()).filter(({ pid }) => pids.has(pid));
  } catch (error) {
    return (await pm2WorkersInstead(error, line)).asked;
  }
}
