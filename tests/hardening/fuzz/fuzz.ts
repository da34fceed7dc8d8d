/** `yarn hardening fuzz`: random input for everything that reads something from outside. */
import { parseArgs } from 'node:util';
import { fileOf } from './app-files.js';
import { fuzzCheck, fuzzReader, fuzzReload } from './reader.js';
import { attackOf } from './attacks.js';
import { ATTACKS_EACH, fuzzChannel, type ChannelResult } from './channel.js';
import { fuzzSockets } from './sockets.js';
import { fuzzHttp, shown, type HttpFinding, type HttpResult } from './http.js';

const USAGE = `Usage: yarn hardening fuzz [--requests N] [--files N] [--seed S] [--only N | --file N] [--write]
       yarn hardening fuzz --channel [--attacks N] [--seed S] [--attack N] [--write]
  --requests N   how many random HTTP requests, each to both services  (100000)
                 and a hundredth of it to each socket of a service
  --files N      how many random app files are read                    (20000)
                 and a hundredth of it by check and by reload
  --channel      random attacks of a worker on its channel, instead of these
  --attacks N    how many                                              (1000)
  --attack N     attack N of this seed alone, with its steps
  --seed S       of all random choices                                 (1)
  --only N       request N of this seed alone, shown with its bytes
  --file N       app file N of this seed alone, as it is read, with its text
  --write        writes the result into docs/reliability.md
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function report(seed: number, findings: readonly HttpFinding[]): void {
  for (const { number, what } of findings) {
    say(`✗ ${what}`);
    if (number === undefined) continue;
    say(shown(seed, number));
    say(`  Repeat it: yarn hardening fuzz --seed ${seed} --only ${number}\n`);
  }
}

/** To each of the other doors: they answer one machine, not the internet. */
const socketRequests = (requests: number): number => Math.ceil(requests / 100);

/** Each of them starts a process, or reloads a service. */
const commands = (files: number): number => Math.ceil(files / 100);

async function fuzzFiles(seed: number, files: number): Promise<AppFiles> {
  const { findings, accepted } = await fuzzReader(seed, files);
  const checks = await fuzzCheck(seed, commands(files));
  const reloads = await fuzzReload(seed, commands(files));
  return { files, accepted, findings: [...findings, ...checks, ...reloads] };
}

interface AppFiles {
  readonly files: number;
  readonly accepted: number;
  readonly findings: readonly string[];
}

/** `--file N`. */
async function readAlone(seed: number, number: number): Promise<boolean> {
  const { name, text } = fileOf(seed, number);
  say(`${name}: ${text.toString()}`);
  const { findings, accepted } = await fuzzReader(seed, 1, number);
  for (const what of findings) say(`✗ ${what}`);
  say(accepted === 1 ? 'accepted' : 'refused');
  return findings.length === 0;
}

const MB = 2 ** 20;

function page(
  seed: number,
  { requests, tally, again, lines, rss }: HttpResult,
  { files, accepted }: AppFiles,
): string {
  const figure = (value: number): string => value.toLocaleString('en');
  const of = (...names: readonly string[]): string =>
    figure(names.reduce((sum, name) => sum + (tally.get(name) ?? 0), 0));
  const statuses = [...tally]
    .filter(([name]) => /^\d{3}$/.test(name))
    .toSorted(([one], [other]) => Number(one) - Number(other));
  return `Node ${process.version}, seed ${seed}: no difference, no worker lost, no line of level error.

Each request goes, with the same bytes, to a service with \`EXPRESS_TUNING=on\` and to one with \`off\`, two workers each. Status,
headers and body must be equal, except for times, pids and generated ids. After every ${figure(1_000)} requests the workers must be
the same, and valid requests must be answered.

| HTTP                                                     |                                    |
| -------------------------------------------------------- | ---------------------------------: |
| requests to each service                                 | ${figure(requests)}                |
| answered                                                 | ${of('answered')}                  |
| ended by the server, as after its 400                    | ${of('closed')}                    |
| unfinished: closed when the client stopped sending       | ${of('waiting')}                   |
| clients that left in the middle                          | ${of('left')}                      |
| compared again alone, the machine having been slow       | ${figure(again)}                   |
| lines logged                                             | ${figure(lines)}                   |
| resident memory of a worker, most in the first half (\`VmRSS\`) | ${Math.round(rss.firstHalf / MB)} MB |
| the same, most at any time                               | ${Math.round(rss.most / MB)} MB    |

Found and still so: a target with an invalid port (\`http://[::1]x/\`) makes Node print its warning DEP0170, two lines that
are no JSON, once in the life of a worker.

Answers by status: ${statuses.map(([name, times]) => `${name}: ${figure(times)}`).join(', ')}.

Control socket, management port and the socket of a worker got ${figure(socketRequests(requests))} random requests each: none made them fail or keep a
connection open, the workers stayed the same, and the next valid request was answered.

${figure(files)} random app files were read (JSON, JSON5, YAML, JavaScript): ${figure(accepted)} accepted, all others refused as an invalid configuration,
none in more than 5 s. \`check\` got ${figure(commands(files))} of the same kind: no other exit code than 0 and 5, no stack trace. A running service
got ${figure(commands(files))} reloads, every tenth with a valid file: the others changed nothing, and every request in the meantime was answered.`;
}

/** @returns whether everything held */
export async function run(argv: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      requests: { type: 'string', default: '100000' },
      files: { type: 'string', default: '20000' },
      file: { type: 'string' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      channel: { type: 'boolean', default: false },
      attacks: { type: 'string', default: '1000' },
      attack: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return (say(USAGE), true);
  const [requests = NaN, files = NaN, seed = NaN, only = NaN, file = NaN] = [
    values.requests,
    values.files,
    values.seed,
    values.only ?? '0',
    values.file ?? '0',
  ].map(Number);
  if (![requests, files, seed, only, file].every(Number.isSafeInteger) || requests <= 0 || files <= 0) {
    say(`--requests, --files, --seed, --only and --file must be whole numbers\n${USAGE}`);
    return false;
  }
  say(`seed ${seed}, Node ${process.version}`);
  if (values.channel) return attackChannel(seed, values);
  if (values.file !== undefined) return readAlone(seed, file);
  if (values.only !== undefined) return requestAlone(seed, only);
  const result = await fuzzHttp({ seed, requests, first: 0, say });
  const sockets = await fuzzSockets(seed, socketRequests(requests));
  const appFiles = await fuzzFiles(seed, files);
  report(seed, [...result.findings, ...[...sockets, ...appFiles.findings].map(what => ({ what }))]);
  const holds = result.findings.length + sockets.length + appFiles.findings.length === 0;
  if (holds) say(page(seed, result, appFiles));
  if (holds && values.write)
    await (await import('../section.js')).writeSection('fuzz', page(seed, result, appFiles));
  return holds;
}

interface ChannelValues {
  readonly attacks: string;
  readonly attack?: string | undefined;
  readonly write: boolean;
}

/** `--channel`. */
async function attackChannel(seed: number, { attacks, attack, write }: ChannelValues): Promise<boolean> {
  const [count = NaN, first = NaN] = (attack === undefined ? [attacks, 0] : [1, attack]).map(Number);
  if (![count, first].every(Number.isSafeInteger) || count <= 0) {
    say(`--attacks and --attack must be whole numbers\n${USAGE}`);
    return false;
  }
  if (attack !== undefined)
    for (const step of attackOf(seed, first).steps) say(JSON.stringify(step).slice(0, 1_000));
  const result = await fuzzChannel({ seed, attacks: count, first, say });
  for (const { number, what } of result.findings) {
    say(`✗ ${what}`);
    if (number !== undefined)
      say(`  Repeat it: yarn hardening fuzz --channel --seed ${seed} --attack ${number}\n`);
  }
  if (result.findings.length > 0) return false;
  say(channelPage(seed, result));
  if (write) await (await import('../section.js')).writeSection('channel', channelPage(seed, result));
  return true;
}

function channelPage(seed: number, result: ChannelResult): string {
  const { attacks, handles, faults, replaced, asked, descriptors, heap, most } = result;
  const figure = (value: number): string => value.toLocaleString('en');
  const named = [...faults.values()].reduce((sum, times) => sum + times, 0);
  return `Node ${process.version}, seed ${seed}: the supervisor lived, every worker that was killed was named in the log and replaced, the
other worker stayed the same, and no request to it failed.

One of two workers attacks: messages of every type with wrong, missing and huge fields, forged messages of Node and \`node:cluster\`,
sockets and servers with and without a proper envelope, bytes that are no messages, floods, and ends in the middle. After every
${figure(ATTACKS_EACH)} attacks at most it is replaced, and the supervisor must have as many descriptors as at the start.

| channel                                                     |                              |
| ----------------------------------------------------------- | ---------------------------: |
| attacks                                                     | ${figure(attacks)}           |
| sockets and servers in them                                 | ${figure(handles)}           |
| attackers replaced                                          | ${figure(replaced)}          |
| of these killed and named for a broken channel              | ${figure(named)}             |
| requests to the other worker meanwhile                      | ${figure(asked)}             |
| descriptors of the supervisor before and after              | ${descriptors.before}, ${descriptors.after} |
| its heap before and after, garbage collected                | ${megabytes(heap.before)}, ${megabytes(heap.after)} |
| its resident memory, most at any time (\`VmRSS\`)           | ${megabytes(most)}           |`;
}

const megabytes = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;

/** `--only N`. */
async function requestAlone(seed: number, only: number): Promise<boolean> {
  say(shown(seed, only));
  const { findings, tally } = await fuzzHttp({ seed, requests: 1, first: only, say });
  report(seed, findings);
  say([...tally.keys()].join(' '));
  return findings.length === 0;
}
