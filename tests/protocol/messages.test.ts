/** What is a message between a worker and its supervisor, and what is not. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  parseFromWorker,
  parseToWorker,
  OWN_VARIABLES,
  type FromWorker,
  type ToWorker,
} from '../../src/protocol/messages.js';

const FROM_WORKER: readonly FromWorker[] = [
  'ready',
  { type: 'cabe:boot-failed', code: 5, message: 'no' },
  { type: 'cabe:draining', code: 0 },
  { type: 'cabe:draining', code: 255 },
  { type: 'cabe:draining', code: 1, reason: 'no database' },
  { type: 'cabe:listener.wanted', port: 0, host: undefined },
  { type: 'cabe:listener.wanted', port: 65_535, host: '::' },
  { type: 'cabe:usage', rss: 50_000_000, cpuMs: 1.5 },
  { type: 'cabe:busy' },
  { type: 'cabe:heartbeat.lost' },
];

const TO_WORKER: readonly ToWorker[] = [
  'shutdown',
  { type: 'cabe:retire' },
  { type: 'cabe:listener' },
  { type: 'cabe:listener', error: { code: 'EACCES', message: 'bind' } },
  { type: 'cabe:listener.lent', slot: 0 },
  { type: 'cabe:listener.returned', slot: 1_023 },
  { type: 'cabe:usage.wanted' },
  { type: 'cabe:heartbeat.start', record: 4_095, file: '25:7', pace: 'fast' },
  { type: 'cabe:heartbeat.start', record: 0, file: '25:7', pace: 'slow-until-busy' },
  { type: 'cabe:heartbeat.stop' },
];

/** As it arrives over the channel. */
const overTheWire = (message: unknown): unknown => JSON.parse(JSON.stringify(message)) as unknown;

test.each(FROM_WORKER)('%j is a message of a worker', message => {
  expect(parseFromWorker(overTheWire(message))).toEqual(message);
  expect(parseToWorker(overTheWire(message))).toBeUndefined();
});

test.each(TO_WORKER)('%j is a message of a supervisor', message => {
  expect(parseToWorker(overTheWire(message))).toEqual(message);
  expect(parseFromWorker(overTheWire(message))).toBeUndefined();
});

test.each([
  undefined,
  null,
  0,
  'steady',
  [],
  {},
  { type: 'leaving', code: 0 },
  { type: 'retire' },
  { type: 'draining', code: 0 },
  { type: 'cabe:unknown' },
  { type: ['cabe:busy'] },
])("%j is the app's own business", message => {
  expect(parseFromWorker(message)).toBeUndefined();
  expect(parseToWorker(message)).toBeUndefined();
});

test.each([
  { type: 'cabe:draining' },
  { type: 'cabe:draining', code: 256 },
  { type: 'cabe:draining', code: -1 },
  { type: 'cabe:draining', code: '0' },
  { type: 'cabe:boot-failed', code: 5 },
  { type: 'cabe:boot-failed', code: 0.5, message: 'no' },
  { type: 'cabe:listener.wanted', port: 65_536 },
  { type: 'cabe:listener.wanted', port: 99_999, host: '::' },
  { type: 'cabe:listener.wanted', port: -1 },
  { type: 'cabe:listener.wanted', port: 80, host: 5 },
  { type: 'cabe:listener.wanted', port: 80, host: null },
  { type: 'cabe:listener.wanted', port: 80, host: 'h'.repeat(256) },
  { type: 'cabe:usage', rss: 1 },
  { type: 'cabe:usage', rss: -1, cpuMs: 1 },
  { type: 'cabe:usage', rss: 1e300, cpuMs: 1 },
  { type: 'cabe:usage', rss: NaN, cpuMs: 1 },
])('%j of a worker is ignored', message => {
  expect(parseFromWorker(message)).toBeUndefined();
});

test.each([
  { type: 'cabe:listener', error: 'EACCES' },
  { type: 'cabe:listener', error: { code: 'EACCES' } },
  { type: 'cabe:listener.lent' },
  { type: 'cabe:listener.lent', slot: 1_024 },
  { type: 'cabe:listener.returned', slot: -1 },
  { type: 'cabe:heartbeat.start', record: 4_096, file: '25:7', pace: 'fast' },
  { type: 'cabe:heartbeat.start', record: 0.5, file: '25:7', pace: 'fast' },
  { type: 'cabe:heartbeat.start', record: 0, pace: 'fast' },
  { type: 'cabe:heartbeat.start', record: 0, file: '25:7' },
  { type: 'cabe:heartbeat.start', record: 0, file: '25:7', pace: 'slower' },
])('%j of a supervisor is ignored', message => {
  expect(parseToWorker(message)).toBeUndefined();
});

test('texts are cut, and fields that are not known are dropped', () => {
  const message = 'x'.repeat(10_000);
  expect(parseFromWorker({ type: 'cabe:boot-failed', code: 1, message, more: 1 })).toEqual({
    type: 'cabe:boot-failed',
    code: 1,
    message: message.slice(0, 4_096),
  });
  expect(parseToWorker({ type: 'cabe:listener', error: { code: 'E', message } })).toEqual({
    type: 'cabe:listener',
    error: { code: 'E', message: message.slice(0, 4_096) },
  });
});

test('all our variables but one of the operator are in the list of those that mean nothing from outside', () => {
  const source = resolve(__dirname, '../../src');
  const texts = (readdirSync(source, { recursive: true }) as string[])
    .filter(path => path.endsWith('.ts'))
    .map(path => readFileSync(join(source, path), 'utf8'));
  const names = new Set(texts.flatMap(text => text.match(/\bCABE_[A-Z_]+\b/g) ?? []));
  expect(names).toEqual(new Set(['CABE_LISTENER', ...OWN_VARIABLES]));
});
