/** One fault against one service under constant load, and whether everything held that should. */
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive, until, type LogLine } from '../../support/processes.js';
import { descendantsOf, processOf } from '../../../src/platform/process-tree.js';
import { descriptorsOf } from '../../support/sockets.js';
import { strictClient, type Report } from '../../support/strict-client.js';
import { NOTHING, type Fault, type Trial } from './fault.js';
import { createService, untilAllServe, type Host, type Service } from './service.js';

export interface Outcome {
  readonly fault: Fault;
  readonly host: Host;
  readonly sent: number;
  readonly failed: number;
  readonly failures: Report['failures'];
  readonly slowestMs: number;
  /** The line of the log that tells it; nothing where none is expected. */
  readonly line: string | undefined;
  /** From the end of the fault until every worker served. */
  readonly healedMs: number | undefined;
  /** What did not hold. */
  readonly problems: readonly string[];
  /** The last lines of the log. */
  readonly log: readonly string[];
}

/** Kept-alive connections and new ones, some 300 requests a second. */
const LOAD = { keptAlive: 8, newEveryMs: 10, pauseMs: 30, timeoutMs: 15_000 };

const SLOWEST_MS = 5_000;
const WARNING = 40;
const LINES = 20;

/** How long the service must serve without a failure once it has healed. */
const CALM_MS = 500;

/** Starts a service, inflicts the fault on it under load, waits until it has healed, and stops it. */
export async function tryFault(fault: Fault, host: Host): Promise<Outcome> {
  const service = await createService(host, fault.setting?.bind(fault));
  const problems: string[] = [];
  try {
    await service.start();
    await untilAllServe(service, 20_000, fault.hasControl ?? true);
    return await underLoad(fault, service, problems);
  } finally {
    await service.end();
  }
}

async function underLoad(fault: Fault, service: Service, problems: string[]): Promise<Outcome> {
  const before = usageOf(service);
  const client = strictClient({ port: service.port, ...LOAD });
  const expect = (holds: boolean, otherwise: string): void => void (holds || problems.push(otherwise));
  await until(() => client.sent > 100, 'the client sends requests');
  let goneAt: number | undefined;
  let healedMs: number | undefined;
  const trial: Trial = {
    service,
    client,
    expect,
    gone: () => (goneAt = Date.now()),
    get goneAt() {
      return goneAt;
    },
  };
  try {
    await fault.inflict(trial);
    const from = performance.now();
    await untilAllServe(service, fault.healsWithinMs, fault.hasControl ?? true);
    healedMs = performance.now() - from;
    // Requests of before may still fail.
    await until(() => client.oldestMs < performance.now() - from, 'earlier requests are answered', 30_000);
    const failed = client.lost.length;
    await pause(CALM_MS);
    expect(client.lost.length === failed, 'requests failed after it had healed');
  } catch (error) {
    problems.push((error as Error).message);
  }
  const report = await client.stop();
  if (healedMs !== undefined) await backToBefore(service, before).catch(add(problems));
  const lines = service.lines();
  await endInOrder(service, problems).catch(add(problems));
  return {
    fault,
    host: service.host,
    healedMs,
    problems,
    log: lines.slice(-LINES).map(({ msg }) => msg),
    ...judge(fault, trial, report, lines, problems),
  };
}

const add =
  (problems: string[]) =>
  (error: Error): void =>
    void problems.push(error.message);

function judge(
  fault: Fault,
  trial: Trial,
  report: Report,
  lines: readonly LogLine[],
  problems: string[],
): Pick<Outcome, 'sent' | 'failed' | 'failures' | 'slowestMs' | 'line'> {
  const { mayFail = NOTHING, slowestMs = SLOWEST_MS } = fault;
  const unexcused = mayFail.unexcused(report.lost, trial);
  const examples = unexcused.slice(0, 3).map(({ what }) => what);
  if (unexcused.length > 0) problems.push(`${unexcused.length} requests were lost: ${examples.join('; ')}`);
  if (report.answered + report.lost.length !== report.sent)
    problems.push('the results do not add up to the requests sent');
  if (report.longestMs > slowestMs)
    problems.push(`the slowest answer took ${report.longestMs} ms, expected at most ${slowestMs} ms`);
  return {
    sent: report.sent,
    failed: report.lost.length,
    failures: report.failures,
    slowestMs: report.longestMs,
    line: lineOf(fault, trial.service.host, lines, problems),
  };
}

/** The first line that tells the fault; where none is expected, there must be no warning. */
function lineOf(fault: Fault, host: Host, lines: readonly LogLine[], problems: string[]): string | undefined {
  const expected = fault.logged?.[host];
  if (expected !== undefined) {
    const found = lines.find(({ msg }) => expected.test(msg));
    if (found === undefined) problems.push(`the log has no line like ${String(expected)}`);
    return found?.msg;
  }
  const warning = lines.find(({ level = 0 }) => level >= WARNING);
  if (warning !== undefined) problems.push(`unexpected in the log: ${warning.msg}`);
  return warning?.msg;
}

interface Usage {
  readonly processes: number;
  readonly descriptors: number;
}

function usageOf({ pid }: Service): Usage {
  const root = processOf(pid);
  const processes = root === undefined ? 0 : descendantsOf(root).length + 1;
  return { processes, descriptors: descriptorsOf(pid).length };
}

/** Without clients; a worker alone may keep files open that it has opened for its first request. */
async function backToBefore(service: Service, before: Usage): Promise<void> {
  const allowance = service.host === 'native' ? 0 : 4;
  let now = usageOf(service);
  await until(
    () => {
      now = usageOf(service);
      return now.processes === before.processes && now.descriptors <= before.descriptors + allowance;
    },
    'as before',
    10_000,
  ).catch(() => {
    const text = ({ processes, descriptors }: Usage): string =>
      `${processes} processes and ${descriptors} descriptors`;
    throw new Error(`${text(now)} are left, ${text(before)} before`);
  });
}

/** The service stops with exit code 0 and leaves no process. */
async function endInOrder(service: Service, problems: string[]): Promise<void> {
  const pids = service.workers();
  const code = await service.stop();
  if (code !== 0) problems.push(`it stopped with exit code ${code}`);
  await until(() => !pids.some(isAlive), 'no worker is left after the stop', 10_000);
}
