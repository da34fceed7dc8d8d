/** A process that has run out of descriptors. */
import { execFileSync } from 'node:child_process';

/** This process can open no file and accept no connection meanwhile; what it has open stays open. */
export async function withoutDescriptors(pid: number, during: () => Promise<void>): Promise<void> {
  const prlimit = (...args: string[]): string =>
    execFileSync('prlimit', ['--pid', String(pid), ...args], { encoding: 'utf8' });
  const before = prlimit('--nofile', '--output=SOFT', '--noheadings').trim();
  // A new descriptor is the lowest free one, and standard input, output and error are open.
  prlimit('--nofile=3:');
  try {
    await during();
  } finally {
    prlimit(`--nofile=${before}:`);
  }
}
