/** Which way connections reach the workers, as far as it is a matter of the platform. */
import net from 'node:net';
import type * as listener from '../../../src/supervisor/processes/listener.js';
import { canReusePort } from '../../../src/supervisor/processes/listener.js';

const PART = '_createServerHandle';

/** The listener as it is where Node has this part, or has it not. */
function load(part: unknown): typeof listener {
  const own = Object.getOwnPropertyDescriptor(net, PART);
  Object.defineProperty(net, PART, { value: part, configurable: true });
  try {
    let loaded: typeof listener | undefined;
    jest.isolateModules(
      () => (loaded = require('../../../src/supervisor/processes/listener.js') as typeof listener),
    );
    if (loaded === undefined) throw new Error('not loaded');
    return loaded;
  } finally {
    if (own !== undefined) Object.defineProperty(net, PART, own);
  }
}

test.each([
  ['20.20.2', false],
  ['22.11.0', false],
  ['22.12.0', true],
  ['22.23.3', true],
  ['23.0.0', true],
  ['24.21.0', true],
  ['26.10.0', true],
])('Node %s on Linux shares a port among sockets: %s', (version, can) => {
  expect(canReusePort(version, 'linux')).toBe(can);
});

test.each(['darwin', 'win32', 'freebsd'] as const)('no Node on %s balances by it', platform => {
  expect(canReusePort('24.21.0', platform)).toBe(false);
});

test('a Node without the undocumented part leaves the listening to the workers', () => {
  const { mode, offers, socketOf, reserve } = load(undefined).createListener();
  expect([mode, offers]).toEqual(['cluster', false]);
  const address = { port: 3001, host: undefined };
  expect(() => reserve(address)).not.toThrow();
  expect(socketOf(0, address)).toEqual({});
});
