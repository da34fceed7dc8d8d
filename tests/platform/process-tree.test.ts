/** The processes that a process has started: found, distinguished from others with the same pid, signalled. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { descendantsOf, isRunning, processOf, signalProcess } from '../../src/platform/process-tree.js';
import { until } from '../support/processes.js';

/** A shell that starts a shell that starts two sleepers. */
const TREE = `sh -c 'sleep 60 & sleep 60 & wait' & wait`;

let root: ChildProcess;
beforeEach(() => {
  root = spawn('sh', ['-c', TREE], { detached: true, stdio: 'ignore' });
});
afterEach(() => {
  process.kill(-(root.pid ?? 0), 'SIGKILL');
});

const rootRef = (): NonNullable<ReturnType<typeof processOf>> => {
  const found = processOf(root.pid ?? 0);
  if (found === undefined) throw new Error('it does not run');
  return found;
};

test('descendants are found, the deepest first', async () => {
  await until(() => descendantsOf(rootRef()).length === 3, 'all have been started');
  const [first, second, shell] = descendantsOf(rootRef());
  if (first === undefined || second === undefined || shell === undefined) throw new Error('not three');
  expect(descendantsOf(shell)).toEqual([first, second]);
  expect(descendantsOf(first)).toEqual([]);
  expect([first, second, shell].every(isRunning)).toBe(true);
});

test('a process of the same pid that began at another time is another one', async () => {
  await until(() => descendantsOf(rootRef()).length === 3, 'all have been started');
  const earlier = { ...rootRef(), startedAt: rootRef().startedAt - 1 };
  expect(isRunning(earlier)).toBe(false);
  expect(descendantsOf(earlier)).toEqual([]);
  signalProcess(earlier, 'SIGKILL');
  expect(isRunning(rootRef())).toBe(true);
});

test('one that has ended does not run, whether or not anybody has waited for it', async () => {
  // This shell never waits for its child.
  const shell = spawn('sh', ['-c', 'sleep 60 & exec sleep 61'], { stdio: 'ignore' });
  const ref = processOf(shell.pid ?? 0);
  if (ref === undefined) throw new Error('it does not run');
  await until(() => descendantsOf(ref).length === 1, 'the child has been started');
  const [child] = descendantsOf(ref);
  if (child === undefined) throw new Error('no child');
  signalProcess(child, 'SIGKILL');
  await until(() => !isRunning(child), 'it is a zombie');
  expect(descendantsOf(ref)).toEqual([]);
  signalProcess(child, 'SIGKILL');
  signalProcess(ref, 'SIGTERM');
  await once(shell, 'exit');
  expect(isRunning(ref)).toBe(false);
  expect(processOf(ref.pid)).toBeUndefined();
});
