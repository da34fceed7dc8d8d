/** What a production install consists of: each package runs with the rights of the service. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import yaml from 'js-yaml';

const ROOT = resolve(__dirname, '..');
const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

interface Locked {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const direct = (JSON.parse(read('package.json')) as Manifest).dependencies ?? {};

/** The names of all packages of a production install, by the lock file. */
function productionPackages(): Set<string> {
  const lock = yaml.load(read('yarn.lock')) as Readonly<Record<string, Locked>>;
  const byRange = new Map(
    Object.entries(lock).flatMap(([ranges, locked]) =>
      ranges.split(', ').map(range => [range, locked] as const),
    ),
  );
  const found = new Set<string>();
  function add(dependencies: Readonly<Record<string, string>> = {}): void {
    for (const [name, wanted] of Object.entries(dependencies)) {
      const locked = byRange.get(`${name}@${wanted.includes(':') ? wanted : `npm:${wanted}`}`);
      if (locked === undefined) throw new Error(`${name}@${wanted} is not in yarn.lock`);
      if (found.has(name)) continue;
      found.add(name);
      add(locked.dependencies);
    }
  }
  add(direct);
  return found;
}

test('a package more is a decision: SECURITY.md says how many there are', () => {
  const [, ofDirect, ofAll] =
    /\b(\d+) direct dependencies and (\d+) packages in all/.exec(read('SECURITY.md')) ?? [];
  expect([Number(ofDirect), Number(ofAll)]).toEqual([Object.keys(direct).length, productionPackages().size]);
});

test('every direct dependency has its reason in decision 4', () => {
  const reasons = read('docs', 'decisions', '0004-libraries.md');
  for (const name of Object.keys(direct)) expect(reasons.toLowerCase()).toContain(name);
});

test('every direct dependency is of one version, not of a range', () => {
  for (const version of Object.values(direct)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('no package runs a script when it is installed', () => {
  expect(yaml.load(read('.yarnrc.yml'))).toMatchObject({ enableScripts: false });
  for (const name of productionPackages()) {
    const manifest = join('node_modules', name, 'package.json');
    const { scripts = {} } = existsSync(join(ROOT, manifest)) ? (JSON.parse(read(manifest)) as Manifest) : {};
    const ofInstall = Object.keys(scripts).filter(script => /^(pre|post)?install$/.test(script));
    expect([name, ofInstall]).toEqual([name, []]);
  }
});
