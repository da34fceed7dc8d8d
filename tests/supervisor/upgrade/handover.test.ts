import {
  handoverVariable,
  socketCount,
  takeHandover,
  type Handover,
} from '../../../src/supervisor/upgrade/handover.js';
import { whyIrreplaceable } from '../../../src/supervisor/upgrade/standing.js';

const HANDOVER: Handover = {
  mode: 'per-slot',
  sockets: [
    { fd: 21, slot: 0, address: { port: 3001, host: undefined } },
    { fd: 19, slot: 2, address: { port: 3001, host: undefined } },
  ],
  service: 4_711,
  wanted: 3,
  fromFile: 2,
};

describe('what is handed over', () => {
  const send = Object.getOwnPropertyDescriptor(process, 'send');
  beforeEach(() => Object.defineProperty(process, 'send', { value: () => true, configurable: true }));
  afterEach(() => {
    if (send === undefined) Reflect.deleteProperty(process, 'send');
    else Object.defineProperty(process, 'send', send);
  });

  test('arrives, with the descriptors of the successor', () => {
    const env: NodeJS.ProcessEnv = { PORT: '3001', ...handoverVariable(HANDOVER, 7) };
    expect(takeHandover(env, 7)).toEqual({
      ...HANDOVER,
      sockets: HANDOVER.sockets.map((socket, index) => ({ ...socket, fd: 4 + index })),
    });
    expect(env).toEqual({ PORT: '3001' });
  });

  test('is for one process only', () => {
    const env: NodeJS.ProcessEnv = handoverVariable(HANDOVER, 7);
    expect(takeHandover(env, 8)).toBeUndefined();
    expect(env).toEqual({});
    Reflect.deleteProperty(process, 'send');
    expect(takeHandover(handoverVariable(HANDOVER, 7), 7)).toBeUndefined();
  });

  test('has a socket for each slot, or one for all', () => {
    expect(socketCount(HANDOVER)).toBe(3);
    expect(socketCount({ ...HANDOVER, mode: 'shared' })).toBe(0);
  });
});

describe('another process', () => {
  const shell = { pid: 812, name: 'bash' };

  test('can take the place of one that systemd runs, or whose parent has ended', () => {
    const systemd = { pid: 1, name: 'systemd' };
    expect(whyIrreplaceable({ pid: 900, parent: systemd, isNotified: true })).toBeUndefined();
    expect(whyIrreplaceable({ pid: 900, parent: undefined, isNotified: false })).toBeUndefined();
  });

  test('cannot take the place of one for whose end its parent waits', () => {
    expect(whyIrreplaceable({ pid: 900, parent: shell, isNotified: false })).toMatch(
      /^pid 812 \(bash\) started/,
    );
    const unknown = { pid: 812, name: undefined };
    expect(whyIrreplaceable({ pid: 900, parent: unknown, isNotified: false })).toMatch(/^pid 812 started/);
  });

  test.each([
    ['the first process', { pid: 1, parent: { pid: 0, name: undefined } }],
    ['a child of an init for containers', { pid: 7, parent: { pid: 1, name: 'tini' } }],
  ])('cannot take the place of the main process of a container: %s', (_name, standing) => {
    for (const isNotified of [true, false])
      expect(whyIrreplaceable({ ...standing, isNotified })).toMatch(/main process of a container/);
  });
});
