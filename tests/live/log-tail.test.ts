/** One worker's log for its followers, who cannot make it keep more than a bounded amount. */
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createLogTail } from '../../src/live/log-tail.js';
import type { LogLine } from '../../src/live/messages.js';

class Reader extends EventEmitter {
  writableLength = 0;
  status = 0;
  text = '';
  writeHead(status: number): this {
    this.status = status;
    return this;
  }
  flushHeaders(): void {}
  write(text: string): void {
    this.text += text;
  }
  end(): void {}
  get texts(): string[] {
    const lines = this.text.split('\n').filter(line => line !== '');
    return lines.map(line => (JSON.parse(line) as LogLine).text);
  }
}

const batch = (...texts: string[]): { lines: string; dropped: number } => ({
  lines: texts.map(msg => `${JSON.stringify({ level: 30, time: 1, msg })}\n`).join(''),
  dropped: 0,
});

const wanted: boolean[] = [];
const tail = createLogTail({ slot: 0, pid: 1 }, isWanted => wanted.push(isWanted));
const follow = (): Reader => {
  const reader = new Reader();
  tail.follow(reader as unknown as ServerResponse);
  return reader;
};

const readers: Reader[] = [];
const first = follow();

test('lines are wanted while there is a follower', () => {
  expect(wanted).toEqual([true]);
  const second = follow();
  tail.add(batch('one', 'two'));
  expect([first.texts, second.texts]).toEqual([
    ['one', 'two'],
    ['one', 'two'],
  ]);
  second.emit('close');
  expect(wanted).toEqual([true]);
});

test('lines that found no room on their way are counted', () => {
  first.text = '';
  tail.add({ ...batch('three'), dropped: 7 });
  expect(first.texts).toEqual(['three', '7 log lines are missing here: there are too many to show']);
});

test('a follower that does not read gets a count instead', () => {
  first.text = '';
  first.writableLength = 2 * 1024 * 1024;
  tail.add(batch('four', 'five'));
  tail.add(batch('six'));
  expect(first.texts).toEqual([]);
  first.writableLength = 0;
  tail.add(batch('seven'));
  tail.add(batch('eight'));
  expect(first.texts).toEqual(['3 log lines are missing here: they were read too slowly', 'seven', 'eight']);
});

test('followers are few', () => {
  readers.push(...Array.from({ length: 7 }, follow));
  expect(readers.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 200));
  expect(follow().status).toBe(503);
});

test('when the last one leaves, no lines are wanted', () => {
  for (const reader of [first, ...readers]) reader.emit('close');
  expect(wanted).toEqual([true, false]);
});
