/** `yarn hardening fuzz`: random input for everything that reads something from outside. */
import { parseArgs } from 'node:util';
import type { Part } from '../main.js';
import { fuzzSockets } from './sockets.js';
import { fuzzHttp, shown, type HttpFinding, type HttpResult } from './http.js';

const USAGE = `Usage: yarn hardening fuzz [--requests N] [--seed S] [--only N] [--write]
  --requests N   how many random HTTP requests, each to both services  (100000)
                 and a hundredth of it to each socket of a service
  --seed S       of all random choices                                 (1)
  --only N       request N of this seed alone, shown with its bytes
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

const MB = 2 ** 20;

function page(seed: number, { requests, tally, again, lines, rss }: HttpResult): string {
  const figure = (value: number): string => value.toLocaleString('en');
  const of = (...names: readonly string[]): string =>
    figure(names.reduce((sum, name) => sum + (tally.get(name) ?? 0), 0));
  const statuses = [...tally]
    .filter(([name]) => /^\d{3}$/.test(name))
    .toSorted(([one], [other]) => Number(one) - Number(other));
  return `Node ${process.version}, seed ${seed}: no difference, no worker lost, no line of level error.

Each request goes, with the same bytes, to a service with \`EXPRESS_TUNING=on\` and to one with \`off\`, two workers each. Status,
headers and body must be equal, except for times, pids and given ids. After every ${figure(1_000)} requests the workers must be
the same, and honest requests must be answered.

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
connection open, the workers stayed the same, and the next honest request was answered.`;
}

async function run(argv: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      requests: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return (say(USAGE), true);
  const [requests, seed, only] = [values.requests, values.seed, values.only ?? '0'].map(Number);
  if (![requests, seed, only].every(Number.isSafeInteger) || !(Number(requests) > 0)) {
    say(`--requests, --seed and --only must be whole numbers\n${USAGE}`);
    return false;
  }
  const alone = values.only !== undefined;
  say(`seed ${seed}, Node ${process.version}`);
  if (alone) say(shown(Number(seed), Number(only)));
  const result = await fuzzHttp({
    seed: Number(seed),
    requests: alone ? 1 : Number(requests),
    first: Number(only),
    say,
  });
  const sockets = alone ? [] : await fuzzSockets(Number(seed), socketRequests(Number(requests)));
  report(Number(seed), [...result.findings, ...sockets.map(what => ({ what }))]);
  const holds = result.findings.length + sockets.length === 0;
  if (alone) say([...result.tally.keys()].join(' '));
  else if (holds) say(page(Number(seed), result));
  if (holds && values.write && !alone)
    await (await import('../section.js')).writeSection('fuzz', page(Number(seed), result));
  return holds;
}

export const part: Part = { summary: 'random input for everything that reads something from outside', run };
