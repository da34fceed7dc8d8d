/** Random requests to what a service opens beside its port: control socket, management port, sockets of the workers. */
import type { NetConnectOpts } from 'node:net';
import { serviceFolder, siblingsIn } from '../../../src/observability/service-folder.js';
import { freePort, request, until } from '../../support/processes.js';
import { converse } from './client.js';
import { observe } from './observed.js';
import { requestOf, type Target } from './requests.js';

const AT_ONCE = 16;

const QUIET_MS = 100;

interface Door {
  readonly name: string;
  readonly where: NetConnectOpts;
  readonly target: Target;
  /** An honest request to it. */
  readonly honest: string;
}

/** No `/stop` and no `/reload`: they would be obeyed. */
const CONTROL: Target = {
  paths: ['/status', '/scale', '/hung', '/nowhere', '/'],
  bodies: [
    '{"instances":0}',
    '{"instances":1e9}',
    '{"instances":"2"}',
    '{"pid":1}',
    '{"pid":1,"blockedMs":1}',
  ],
};
const MANAGEMENT: Target = {
  paths: ['/metrics', '/status', '/livez', '/readyz', '/holder', '/nowhere', '/'],
  bodies: ['{}'],
};
const WORKER: Target = {
  paths: ['/', '/log', '/diagnose', '/nowhere'],
  bodies: ['{"kind":"nonsense"}', '{"kind":"cpu","seconds":-1}', '{"kind":"cpu","seconds":"x"}'],
};

/**
 * @param first the number of the first request
 * @returns what broke; each sentence names the number of its request, if it is about one
 */
export async function fuzzSockets(seed: number, requests: number, first = 0): Promise<readonly string[]> {
  const managementPort = await freePort();
  const service = await observe({ env: { MANAGEMENT_PORT: String(managementPort) } });
  const findings: string[] = [];
  const before = await service.workers();
  try {
    // The observer threads start once their workers serve.
    const siblings = (): ReturnType<typeof siblingsIn> =>
      siblingsIn(serviceFolder(service.pid, service.port));
    await until(() => siblings().length === before.length, 'every worker has a socket');
    await until(
      () =>
        request(managementPort, '/metrics').then(
          ({ status }) => status === 200,
          () => false,
        ),
      'the management port is open',
    );
    const [worker] = siblings();
    if (worker === undefined) throw new Error('no worker has a socket');
    const doors: readonly Door[] = [
      { name: 'control socket', where: { path: service.socket }, target: CONTROL, honest: '/status' },
      {
        name: 'management port',
        where: { port: managementPort, host: '127.0.0.1' },
        target: MANAGEMENT,
        honest: '/metrics',
      },
      { name: 'socket of a worker', where: { path: worker.path }, target: WORKER, honest: '/' },
    ];
    for (const door of doors) findings.push(...(await fuzzDoor(door, seed, first, first + requests)));
    const now = await service.workers();
    if (now.join() !== before.join()) findings.push(`the workers ${before.join()} became ${now.join()}`);
  } finally {
    const code = await service.stop();
    if (code !== 0) findings.push(`the service ended with ${code}`);
  }
  return [...findings, ...service.complaints.map(line => `the log has ${line}`)];
}

async function fuzzDoor(
  { name, where, target, honest }: Door,
  seed: number,
  first: number,
  end: number,
): Promise<readonly string[]> {
  const findings: string[] = [];
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < end) {
      const fuzzed = requestOf(seed, next++, target);
      const { end: how, answers } = await converse(where, fuzzed, QUIET_MS);
      const at = `${name}, seed ${seed}, request ${fuzzed.number}`;
      if (how === 'stuck') findings.push(`${at}: the connection stays open`);
      const failed = answers.find(answer => /HTTP\/1\.1 5(?!03)\d\d/.test(answer));
      if (failed !== undefined) findings.push(`${at}: ${failed}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const place = 'path' in where ? { socketPath: where.path } : {};
  const { status } = await request('port' in where ? where.port : 0, honest, place);
  return status === 200 ? findings : [...findings, `${name}: GET ${honest} answers ${status}`];
}
