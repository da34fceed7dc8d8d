/** `yarn bench`: measures this service against its peers, in rounds, on any Node. See docs/performance.md. */
import { execFileSync, spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compare, DEAREST } from './guard.js';
import { SECTIONS } from './sections/all.js';
import { readCommandLine, type CommandLine } from './support/command-line.js';
import { CPUS, ROOT } from './support/processes.js';
import { check, report } from './support/report.js';
import { keep, machine, versions } from './support/results.js';
import { table } from './support/tables.js';
import { wrkVersion } from './support/wrk.js';

const tell = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('The bench reads /proc: it runs on Linux only');
  const line = readCommandLine(
    process.argv.slice(2),
    SECTIONS.map(({ name }) => name),
  );
  if (line.action === 'report') {
    await (line.check ? check(SECTIONS) : write());
    return;
  }
  await (line.action === 'guard' ? guard(line) : measure(line));
  build(process.execPath);
}

/** The pictures are drawn by a library that is installed with the peers. */
async function write(): Promise<void> {
  install();
  await report(SECTIONS);
  tell('docs/performance.md is written');
}

/**
 * Before each measurement, with the Node that is measured: V8's code cache is of use to no other, and nobody wants to
 * measure the build before the last.
 */
function build(node: string): void {
  const { status } = spawnSync(node, [join(ROOT, 'scripts', 'build.cjs')], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`scripts/build.cjs failed with ${node}`);
}

/** The peers at their locked versions; the product itself depends on none of them. */
function install(): void {
  const [wanted, there] = ['package-lock.json', 'node_modules/.package-lock.json'].map(name =>
    statSync(join(ROOT, 'bench', name), { throwIfNoEntry: false }),
  );
  if (wanted !== undefined && there !== undefined && there.mtimeMs >= wanted.mtimeMs) return;
  tell('Installing the peers …');
  const { status } = spawnSync('npm', ['ci'], { cwd: join(ROOT, 'bench'), stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('npm ci failed in bench');
}

async function guard({ nodes }: CommandLine): Promise<void> {
  for (const node of binaries(nodes)) {
    const version = versionOf(node);
    build(node);
    const found = await compare({ node, cpus: CPUS, tell: text => tell(`  ${text}`) });
    // Nothing measured is no pass.
    const isDear = !(found <= DEAREST);
    const sentence = `a request takes ${found.toFixed(2)} times the CPU time of plain node:http; ${DEAREST} is the most`;
    console.log(`${isDear ? '✗' : '✓'} Node ${version}: ${sentence}`);
    if (isDear) process.exitCode = 1;
  }
}

const binaries = (nodes: readonly string[]): string[] =>
  (nodes.length > 0 ? nodes : [process.execPath]).map(path => realpathSync(path));

const versionOf = (node: string): string =>
  execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);

/** One that fails keeps nobody from measuring the others: they may take an hour. */
async function measure({ quick, sections, nodes }: CommandLine): Promise<void> {
  wrkVersion();
  install();
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
      tell(`\n${title}`);
      const from = performance.now();
      const samples = await section
        .run({ node, version, quick, cpus: CPUS, tell: text => tell(`  ${text}`) })
        .catch((error: unknown) => complain(error));
      const seconds = Math.round((performance.now() - from) / 1_000);
      took.push(`${seconds} s${samples === undefined ? ', and failed' : ''}: ${title}`);
      if (samples === undefined) continue;
      const at = new Date().toISOString();
      keep(version, quick, section.name, {
        at,
        command: command.join(' '),
        machine: machine(),
        versions: versions(),
        samples,
      });
      console.log(`\n${title}\n\n${table(section, samples)}`);
    }
  }
  tell(`\n${took.join('\n')}`);
  // What was only looked at is for nobody else to read.
  if (!quick) await write();
}

function complain(error: unknown): undefined {
  tell(error instanceof Error ? error.message : String(error));
  if (process.env['DEBUG'] !== undefined) console.error(error);
  process.exitCode = 1;
}

void main()
  .catch(complain)
  .then(() => process.exit());
