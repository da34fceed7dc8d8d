import { spawnSync } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { createDiagnostics } from '../../src/diagnostics/diagnose.js';
import { beginDiagnosis } from '../../src/diagnostics/only-one.js';
import { cleanUp, folder } from '../support/processes.js';

afterEach(cleanUp);

test('one at a time in a folder', () => {
  const at = folder();
  const end = beginDiagnosis(at);
  expect(beginDiagnosis(at)).toBe(process.pid);
  (end as () => void)();
  expect(readdirSync(at)).toEqual([]);
  expect(typeof beginDiagnosis(at)).toBe('function');
});

test('a worker that has died meanwhile is in no other worker’s way', () => {
  const at = folder();
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  symlinkSync(String(pid), join(at, 'diagnosing'));
  expect(typeof beginDiagnosis(at)).toBe('function');
});

test('a worker with the pid of one that was killed during its diagnosis ends that', async () => {
  const at = folder();
  symlinkSync(String(process.pid), join(at, 'diagnosing'));
  const { port1: port } = new MessageChannel();
  const log = (): void => undefined;
  // It begins, and then cannot write: nothing can be made below /proc.
  const needs = { slot: 0, serviceFolder: at, folder: '/proc/diagnostics', port, log };
  const outcome = await createDiagnostics(needs).diagnose({ kind: 'report', seconds: 1 });
  port.close();
  expect(outcome).toMatchObject({ ok: false, reason: expect.stringContaining('/proc') as string });
  expect(readdirSync(at)).toEqual([]);
});

test('a folder in which nothing can be written is an error', () => {
  expect(() => beginDiagnosis(join(folder(), 'missing'))).toThrow(/ENOENT/);
});
