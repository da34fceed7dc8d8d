/** Ten upgrades across the versions of Node in a row, one of them failing first, under strict load. */
import { spawn } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cleanUp, CLUSTER, folder, follow, freePort, start, until } from '../support/processes.js';
import { appFile, ORPHAN, OUR_FIELDS, OUR_WORKER, statusOf } from '../support/service.js';
import { strictClient } from '../support/strict-client.js';

const { VERSIONS, binaryOf } = require('../../scripts/nodes.cjs') as {
  readonly VERSIONS: Readonly<Record<string, string>>;
  binaryOf(version: string): string | undefined;
};

jest.setTimeout(600_000);
afterEach(cleanUp);

/** These can hand on a socket for each worker. */
const MAJORS = ['22', '24', '26'];
const UPGRADES = 10;
const MIN_REQUESTS = 20_000;
/** Before this upgrade another one fails. */
const AFTER_FAILURE = 5;

interface Outcome {
  readonly code: number | null;
  /** The version that the supervisor in charge has afterwards. */
  readonly node: string | undefined;
}

/** @returns the program of this version @throws Error if it can be had neither here nor from the registry */
function nodeOf(major: string): string {
  const node = binaryOf(VERSIONS[major] ?? '');
  if (node === undefined) throw new Error(`Node ${major} could not be fetched from the package registry`);
  return node;
}

test('ten upgrades from Node 22 to 26 and around lose no request, nor does one that fails', async () => {
  const nodes = MAJORS.map(nodeOf);
  const bin = folder();
  const use = (turn: number): void => {
    rmSync(join(bin, 'node'), { force: true });
    symlinkSync(nodes[turn % nodes.length] ?? '', join(bin, 'node'));
  };
  const nodeAt = (turn: number): string => `v${VERSIONS[MAJORS[turn % MAJORS.length] ?? '']}`;
  use(0);
  const file = appFile(OUR_WORKER, OUR_FIELDS);
  const program = join(dirname(file), 'app.js');
  const port = await freePort();
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    PORT: String(port),
    WEB_CONCURRENCY: '2',
    RUN_DIR: folder(),
    FEATURES: 'off',
  };
  const [command = '', ...launcher] = ORPHAN;
  follow(
    spawn(command, [...launcher, 'node', CLUSTER, '--config', file], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  const status = (): Promise<Awaited<ReturnType<typeof statusOf>> | undefined> =>
    statusOf({ env }).catch(() => undefined);
  await until(async () => (await status())?.state === 'ready', 'the service is ready');
  const upgrade = async (): Promise<Outcome> => {
    const { code } = await start([CLUSTER, 'upgrade'], env).ended;
    return { code, node: (await status())?.supervisor.node };
  };

  const client = strictClient({ port });
  const outcomes: Outcome[] = [];
  for (let turn = 1; turn <= UPGRADES; turn++) {
    use(turn);
    if (turn === AFTER_FAILURE) {
      writeFileSync(program, 'process.exit(7);');
      outcomes.push(await upgrade());
      writeFileSync(program, OUR_WORKER);
    }
    outcomes.push(await upgrade());
    const enough = (turn * MIN_REQUESTS) / UPGRADES;
    await until(() => client.sent >= enough, `${enough} requests are sent`);
  }
  const { sent, answered, examples, longestMs } = await client.stop();
  process.stderr.write(
    `upgrades: ${sent} requests, ${sent - answered} lost, the longest took ${longestMs} ms\n`,
  );
  const expected = Array.from({ length: UPGRADES }, (_, n): Outcome => ({ code: 0, node: nodeAt(n + 1) }));
  expected.splice(AFTER_FAILURE - 1, 0, { code: 1, node: nodeAt(AFTER_FAILURE - 1) });
  expect(outcomes).toEqual(expected);
  expect(examples).toEqual([]);
  expect(answered).toBe(sent);
  expect(sent).toBeGreaterThanOrEqual(MIN_REQUESTS);

  expect((await start([CLUSTER, 'stop'], env).ended).code).toBe(0);
  await until(async () => (await status()) === undefined, 'the service has ended');
});
