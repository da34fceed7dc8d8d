/** `yarn bench`: compares this service with its peers, in rounds, on any version of Node. See docs/performance.md. */
import { execFileSync, spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_RATIO, measureRatio } from './guard.js';
import { SECTIONS } from './sections/all.js';
import { readCommandLine, type CommandLine } from './support/command-line.js';
import { CPUS, ROOT } from './support/processes.js';
import { check, report } from './support/report.js';
import { machine, saveRecord, versions } from './support/results.js';
import { table } from './support/tables.js';
import { wrkVersion } from './support/wrk.js';

const print = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('The bench reads /proc: it runs on Linux only');
  const line = readCommandLine(
    process.argv.slice(2),
    SECTIONS.map(({ name }) => name),
  );
  if (line.action === 'report') {
    await (line.check ? check(SECTIONS) : writeReport());
    return;
  }
  await (line.action === 'guard' ? guard(line) : measure(line));
  build(process.execPath);
}

/** The library that draws the pictures is installed with the peers. */
async function writeReport(): Promise<void> {
  installPeers();
  await report(SECTIONS);
  print('docs/performance.md is written');
}

/** Builds with the version of Node that is measured: the compile cache works with this version only. */
function build(node: string): void {
  const { status } = spawnSync(node, [join(ROOT, 'scripts', 'build.cjs')], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`scripts/build.cjs failed with ${node}`);
}

/** Installs the peers at their locked versions; the service depends on none of them. */
function installPeers(): void {
  const [lock, installed] = ['package-lock.json', 'node_modules/.package-lock.json'].map(name =>
    statSync(join(ROOT, 'bench', name), { throwIfNoEntry: false }),
  );
  if (lock !== undefined && installed !== undefined && installed.mtimeMs >= lock.mtimeMs) return;
  print('Installing the peers …');
  const { status } = spawnSync('npm', ['ci'], { cwd: join(ROOT, 'bench'), stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('npm ci failed in bench');
}

async function guard({ nodes }: CommandLine): Promise<void> {
  for (const node of binaries(nodes)) {
    const version = versionOf(node);
    build(node);
    const ratio = await measureRatio({ node, cpus: CPUS, log: text => print(`  ${text}`) });
    // NaN, which means that nothing was measured, is a failure, too.
    const isTooSlow = !(ratio <= MAX_RATIO);
    const sentence = `a request takes ${ratio.toFixed(2)} times the CPU time of plain node:http, at most ${MAX_RATIO} is allowed`;
    console.log(`${isTooSlow ? '✗' : '✓'} Node ${version}: ${sentence}`);
    if (isTooSlow) process.exitCode = 1;
  }
}

const binaries = (nodes: readonly string[]): string[] =>
  (nodes.length > 0 ? nodes : [process.execPath]).map(path => realpathSync(path));

const versionOf = (node: string): string =>
  execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);

/** A section that fails does not stop the others, which may take an hour. */
async function measure({ quick, sections, nodes }: CommandLine): Promise<void> {
  wrkVersion();
  installPeers();
  const command = [
    'yarn bench',
    ...(quick ? ['quick'] : []),
    ...(sections.length < SECTIONS.length ? sections : []),
  ];
  const took: string[] = [];
  for (const node of binaries(nodes)) {
    build(node);
    const version = versionOf(node);
    for (const section of SECTIONS.filter(({ name }) => sections.includes(name))) {
      const title = `${section.title}, Node ${version}`;
      print(`\n${title}`);
      const from = performance.now();
      const samples = await section
        .run({ node, version, quick, cpus: CPUS, log: text => print(`  ${text}`) })
        .catch((error: unknown) => reportFailure(error));
      const seconds = Math.round((performance.now() - from) / 1_000);
      took.push(`${seconds} s${samples === undefined ? ', and failed' : ''}: ${title}`);
      if (samples === undefined) continue;
      const at = new Date().toISOString();
      saveRecord(version, quick, section.name, {
        at,
        command: command.join(' '),
        machine: machine(),
        versions: versions(),
        samples,
      });
      console.log(`\n${title}\n\n${table(section, samples)}`);
    }
  }
  print(`\n${took.join('\n')}`);
  // Figures of a quick run are not reported.
  if (!quick) await writeReport();
}

function reportFailure(error: unknown): undefined {
  print(error instanceof Error ? error.message : String(error));
  if (process.env['DEBUG'] !== undefined) console.error(error);
  process.exitCode = 1;
}

void main()
  .catch(reportFailure)
  .then(() => process.exit());
