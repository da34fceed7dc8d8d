/** The worker's end of the channel: which messages arrive, which are left to the app, and what a lost channel means. */
import { EventEmitter } from 'node:events';
import type { FromWorker } from '../../src/protocol/messages.js';
import { createChannel, type Channel } from '../../src/worker/channel.js';

let port: EventEmitter & { connected: boolean; sent: unknown[] };
let channel: Channel;
beforeEach(() => {
  const sent: unknown[] = [];
  port = Object.assign(new EventEmitter(), {
    connected: true,
    sent,
    send: (message: unknown, _handle: undefined, _options: undefined, done: () => void) => {
      sent.push(message);
      setImmediate(done);
    },
  });
  channel = createChannel(port);
});

const handle = (): { close: jest.Mock } => ({ close: jest.fn() });

test('no listener keeps the process alive before a handler is there; then it is one for all', () => {
  expect(port.listenerCount('message')).toBe(0);
  channel.on('shutdown', () => undefined);
  channel.off('shutdown');
  channel.on('cabe:retire', () => undefined);
  expect(port.listenerCount('message')).toBe(1);
});

test('each message reaches the handler of its type', () => {
  const received: unknown[] = [];
  channel.on('shutdown', message => received.push(message));
  channel.on('cabe:listener.lent', (message, lent) => received.push(message, lent));
  const lent = handle();
  port.emit('message', 'shutdown');
  port.emit('message', { type: 'cabe:listener.lent', slot: 3 }, lent);
  expect(received).toEqual(['shutdown', { type: 'cabe:listener.lent', slot: 3 }, lent]);
  expect(lent.close).not.toHaveBeenCalled();
});

test('a handle of ours that nothing handles is closed', () => {
  channel.on('shutdown', () => undefined);
  const lent = handle();
  port.emit('message', { type: 'cabe:listener.lent', slot: 3 }, lent);
  expect(lent.close).toHaveBeenCalledTimes(1);
});

test("messages of the app's own, and their handles, are left alone", () => {
  const handler = jest.fn();
  for (const type of ['shutdown', 'cabe:retire', 'cabe:listener.lent'] as const) channel.on(type, handler);
  const own = handle();
  for (const message of [{ type: 'retire' }, { type: 'listener.lent', slot: 1 }, null, 'stop', 7])
    port.emit('message', message, own);
  expect(handler).not.toHaveBeenCalled();
  expect(own.close).not.toHaveBeenCalled();
});

test('what cannot be sent is dropped, and the caller goes on', async () => {
  const message: FromWorker = { type: 'cabe:draining', code: 0 };
  await new Promise<void>(done => channel.send(message, done));
  expect(port.sent).toEqual([message]);
  port.connected = false;
  await new Promise<void>(done => channel.send(message, done));
  await new Promise<void>(done =>
    createChannel(Object.assign(new EventEmitter(), { connected: true })).send(message, done),
  );
  expect(port.sent).toEqual([message]);
});

test('a lost channel is reported, but not the false alarm of PM2, which comes while it is open', () => {
  const lost = jest.fn();
  channel.onLost(lost);
  port.emit('disconnect');
  expect(lost).not.toHaveBeenCalled();
  port.connected = false;
  port.emit('disconnect');
  expect(lost).toHaveBeenCalledTimes(1);
});
