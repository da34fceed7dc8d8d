/** The command line of `yarn hardening`. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

function hardening(...args: readonly string[]) {
  const program = [join('node_modules', 'tsx', 'dist', 'cli.mjs'), join('tests', 'hardening', 'main.ts')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('--help lists the parts on standard output', () => {
  const { status, stdout, stderr } = hardening('--help');
  expect([status, stderr]).toEqual([0, '']);
  for (const part of ['fuzz', 'lives', 'faults']) expect(stdout).toContain(`\n  ${part} `);
});

test.each(['', 'toString'])('without a part (%j) the usage is an error', name => {
  const { status, stdout, stderr } = hardening(name);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Usage: yarn hardening PART/);
});

test('an unknown option is named', () => {
  const { status, stdout, stderr } = hardening('fuzz', '--bogus');
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Unknown option '--bogus'.*; yarn hardening fuzz --help has the options\n$/);
});
