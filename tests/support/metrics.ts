/** Metrics of a service under test, as Prometheus would read them. */
import { spawnSync } from 'node:child_process';
import { request } from './processes.js';

/** Whether a program is installed; says so where it is not. */
export function isInstalled(program: string): boolean {
  const found = spawnSync(program, ['--version']).error === undefined;
  if (!found)
    process.stderr.write(`${program} is not installed (Debian: apt-get install prometheus): skipped\n`);
  return found;
}

export class Metrics {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The values of all series with this name and these labels. */
  all(name: string, labels: Readonly<Record<string, string>> = {}): number[] {
    return this.text.split('\n').flatMap(line => {
      const [, found, inner = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const matches = Object.entries(labels).every(([label, text]) => inner.includes(`${label}="${text}"`));
      return found === name && matches ? [Number(value)] : [];
    });
  }

  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.all(name, labels).reduce((total, value) => total + value, 0);
  }
}

export async function scrape(port: number): Promise<Metrics> {
  const { status, text } = await request(port, '/metrics');
  if (status !== 200) throw new Error(`/metrics answered ${status}: ${text}`);
  return new Metrics(text);
}
