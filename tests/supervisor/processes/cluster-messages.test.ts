/** What a worker may tell node:cluster. */
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import {
  followClusterMessages,
  type ClusterMessage,
} from '../../../src/supervisor/processes/cluster-messages.js';

interface Scene {
  readonly child: ChildProcess;
  /** @returns the message as node:cluster gets it, and the fault of the worker */
  get(message: ClusterMessage): { readonly message: ClusterMessage; readonly fault: string | undefined };
  /** node:cluster sends this. */
  send(message: ClusterMessage): void;
}

function scene(): Scene {
  const child = Object.assign(new EventEmitter(), { send: () => true }) as unknown as ChildProcess;
  let hasFailed = false;
  const messages = followClusterMessages(child, () => hasFailed);
  return {
    child,
    get(message) {
      const got = { ...message };
      const fault = messages.inspect(got);
      hasFailed ||= fault !== undefined;
      return { message: got, fault };
    },
    send: message => void child.send({ cmd: 'NODE_CLUSTER', ...message }),
  };
}

const QUERY = { act: 'queryServer', seq: 1, address: '127.0.0.1', port: 0, addressType: 4, index: 0 };

test('a request to listen is granted, and what is granted may be closed, once', () => {
  const { get, send } = scene();
  expect(get(QUERY)).toEqual({ message: QUERY, fault: undefined });
  send({ ack: 1, key: 'a' });
  expect(get({ act: 'close', key: 'a' }).message.act).toBe('close');
  expect(get({ act: 'close', key: 'a' }).message.act).toBeUndefined();
});

test('a socket that is not granted yet, or not at all, is not closed', () => {
  const { get, send } = scene();
  get(QUERY);
  expect(get({ act: 'close', key: 'a' })).toEqual({
    message: { act: undefined, key: 'a' },
    fault: undefined,
  });
  send({ ack: 1, key: 'a', errno: -98 });
  expect(get({ act: 'close', key: 'a' }).message.act).toBeUndefined();
});

test('what is open or waited for is not granted twice, what is closed or failed may be asked for again', () => {
  const { get, send } = scene();
  get(QUERY);
  send({ ack: 1, key: 'a', errno: -98 });
  expect(get({ ...QUERY, seq: 2 }).fault).toBeUndefined();
  send({ ack: 2, key: 'a' });
  get({ act: 'close', key: 'a' });
  expect(get({ ...QUERY, seq: 3 }).fault).toBeUndefined();
  send({ ack: 3, key: 'a' });
  expect(get({ ...QUERY, seq: 4 }).fault).toBe('it asks for the same socket twice');
});

test('64 sockets at a time are granted, whatever else it says that it has closed', () => {
  const { get, send } = scene();
  for (let seq = 0; seq < 64; seq++) {
    expect(get({ ...QUERY, seq, index: seq }).fault).toBeUndefined();
    if (seq % 2 === 0) send({ ack: seq, key: seq });
    get({ act: 'close', key: 'nonsense' });
  }
  get({ act: 'close', key: 0 });
  expect(get({ ...QUERY, seq: 64, index: 64 }).fault).toBeUndefined();
  expect(get({ ...QUERY, seq: 65, index: 65 })).toEqual({
    message: { ...QUERY, seq: 65, index: 65, act: undefined },
    fault: 'more than 64 listening sockets',
  });
});

test('nothing is granted any more after a fault, which is told once', () => {
  const { get } = scene();
  expect([get(QUERY).fault, get(QUERY).fault, get({ ...QUERY, seq: 2, index: 2 }).fault]).toEqual([
    undefined,
    'it asks for the same socket twice',
    undefined,
  ]);
  expect(get({ ...QUERY, seq: 3, index: 3 }).message.act).toBeUndefined();
});

test.each<[string, ClusterMessage]>([
  ['an IP address', { address: '::1' }],
  ['no address', { address: null }],
  ['a path', { address: '/run/own.sock', port: -1, addressType: -1 }],
  ['a socket of UDP', { fd: -1, port: undefined, addressType: 'udp4' }],
  ['tickets of TLS', { data: { ticketKeys: 'a'.repeat(96) } }],
])('a request for %s is granted', (_name, fields) => {
  expect(scene().get({ ...QUERY, ...fields }).fault).toBeUndefined();
});

const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;

test.each<[string, ClusterMessage, RegExp]>([
  ['a name', { address: 'localhost' }, /address or port that is none/],
  ['a port that is too high', { port: 65_536 }, /address or port that is none/],
  ['an unknown kind of address', { addressType: 7 }, /address or port that is none/],
  ['a path without an end', { address: 'x'.repeat(5_000), port: -1, addressType: -1 }, /that is none/],
  ['flags that are no number', { flags: {} }, /malformed/],
  ['a name without a port', { address: 'localhost', port: 'x' }, /address or port that is none/],
  ['a descriptor', { fd: 3 }, /descriptor 3 of the supervisor/],
  ['a descriptor that is no number', { fd: '3' }, /a descriptor of the supervisor/],
  ['long data', { data: 'a'.repeat(4_095) }, /4096 characters/],
  ['deep data', { data: deep }, /4096 characters/],
])('a request with %s is refused', (_name, fields, fault) => {
  const got = scene().get({ ...QUERY, ...fields });
  expect(got.fault).toMatch(fault);
  expect(got.message.act).toBeUndefined();
});

test('a worker answers for the connections that it was offered, once, and for no other', () => {
  const { get, send } = scene();
  send({ act: 'newconn', seq: 7 });
  expect(get({ ack: 6 }).message.ack).toBeUndefined();
  expect(get({ ack: 7 }).message.ack).toBe(7);
  expect(get({ ack: 7 }).message.ack).toBeUndefined();
});

test('once a worker has gone node:cluster hears so, and that it has no connection', () => {
  const { child, get, send } = scene();
  for (const seq of [7, 8]) send({ act: 'newconn', seq });
  get({ ack: 7 });
  const closed: unknown[] = [];
  child
    .on('internalMessage', message => closed.push(message))
    .on('disconnect', () => closed.push('disconnected'));
  child.emit('close');
  expect(closed).toEqual(['disconnected', { cmd: 'NODE_CLUSTER', ack: 8, accepted: true }]);
});
