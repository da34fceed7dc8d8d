/** How connections reach the workers, as far as it depends on the platform. */
import net from 'node:net';
import type * as listener from '../../../src/supervisor/processes/listener.js';

const PART = '_createServerHandle';

/** The listener module, loaded while Node has this value for its undocumented function. */
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

test('a Node without TCP handles leaves listening to the workers', () => {
  const { mode, offers, socketOf, reserve } = load(undefined).createListener();
  expect([mode, offers]).toEqual(['cluster', false]);
  const address = { port: 3001, host: undefined };
  expect(() => reserve(address)).not.toThrow();
  expect(socketOf(0, address)).toEqual({});
});
