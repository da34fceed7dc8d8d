import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { HELP } from '../../src/commands/help.js';
import { cleanUp, folder, ROOT, start } from '../support/processes.js';

afterEach(cleanUp);

test('the help fits a screen of 80 columns and 24 lines, prompt included', () => {
  const lines = HELP.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(23);
  expect(lines.filter(line => line.length > 80)).toEqual([]);
});

test('--version prints the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const running = start([join(ROOT, 'dist', 'cluster.js'), '--version']);
  expect((await running.ended).code).toBe(0);
  expect(running.text()).toBe(`${version}\n`);
});

test('bin is a program that finds its way from wherever it is linked', async () => {
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { bin: string };
  expect(readFileSync(join(ROOT, bin), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  const link = join(folder(), 'cabe-arena-api');
  symlinkSync(join(ROOT, bin), link);
  const running = start([link, 'help']);
  expect((await running.ended).code).toBe(0);
  expect(running.text()).toBe(HELP);
});
