/** The stored results: a file for each major version of Node, with a record for each section. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './processes.js';
import type { Sample } from './rounds.js';
import { wrkVersion } from './wrk.js';

const FOLDER = join(ROOT, 'bench', 'results');

/** One run of one section. */
export interface Record {
  readonly at: string;
  readonly command: string;
  readonly machine: string;
  readonly versions: Readonly<{ [name: string]: string }>;
  readonly samples: readonly Sample[];
}

export interface Results {
  /** Its version, without the v. */
  readonly node: string;
  readonly sections: Readonly<{ [section: string]: Record }>;
}

const major = (node: string): string => /\d+/.exec(node)?.[0] ?? node;

function fileOf(node: string, quick: boolean): string {
  return join(FOLDER, `${quick ? 'quick-' : ''}node-${major(node)}.json`);
}

/** Replaces the record of a section; records of another version of Node are removed. */
export function saveRecord(node: string, quick: boolean, section: string, record: Record): void {
  const file = fileOf(node, quick);
  const before = existsSync(file) ? read(file) : undefined;
  mkdirSync(FOLDER, { recursive: true });
  const results: Results = {
    node,
    sections: { ...(before?.node === node ? before.sections : {}), [section]: record },
  };
  writeFileSync(file, `${JSON.stringify(results, rounded, 1)}\n`);
}

/** The committed results, by version. */
export function loadAll(): Results[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .filter(name => /^node-\d+\.json$/.test(name))
    .map(name => read(join(FOLDER, name)))
    .toSorted((a, b) => Number(major(a.node)) - Number(major(b.node)));
}

const read = (file: string): Results => JSON.parse(readFileSync(file, 'utf8')) as Results;

/** More digits would be noise. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(6)) : value;

export function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ''}`;
}

/** The installed versions of all contenders. */
export function versions(): { [name: string]: string } {
  const bench = ['express', 'express4', 'fastify', '@fastify/helmet', 'helmet', 'pino', 'pino-http'];
  const installed = (folder: string, name: string): string => {
    const text = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  };
  return Object.fromEntries([
    ['wrk', wrkVersion()],
    ['pm2', installed(ROOT, 'pm2')],
    ...bench.map(name => [name, installed(join(ROOT, 'bench'), name)] as const),
  ]);
}
