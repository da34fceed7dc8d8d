import { spawnSync } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
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

test('a folder in which nothing can be written is an error', () => {
  expect(() => beginDiagnosis(join(folder(), 'missing'))).toThrow(/ENOENT/);
});
