import { plain } from '../../../src/commands/monit/paint.js';
import { frame } from '../../../src/commands/monit/frame.js';
import { firstState, type Event, type State, type Step } from '../../../src/commands/monit/state.js';
import { update } from '../../../src/commands/monit/update.js';
import type { Moment } from '../../../src/live/messages.js';
import { logLine, moment, NOON, worker } from '../../support/moments.js';

const SIZE = { columns: 80, rows: 24 };

const workers = (count: number) => Array.from({ length: count }, (_, slot) => worker(slot));

const began = (first: Moment = moment(workers(2))): State => firstState(SIZE, first);

/** One event after the other. @returns the last step */
const after = (state: State, ...events: readonly Event[]): Step =>
  events.reduce<Step>((step, event) => update(step.state, event), { state });

const keys = (...names: readonly string[]): Event[] => names.map(key => ({ type: 'key', key }));

const screen = (state: State): string => frame(state, plain).join('\n');

test('nothing is ordered without a key, and q leaves', () => {
  const events: Event[] = [
    { type: 'moment', moment: moment(workers(2), { at: NOON + 1_000 }) },
    { type: 'lost', at: NOON + 2_000, reason: 'gone' },
    { type: 'log', lines: [logLine('r')] },
    { type: 'resize', size: { columns: 20, rows: 3 } },
    ...keys('x', 'y', '', 'up', 'o', 'e', 'p', '?', 'n'),
  ];
  let { state } = after(began());
  for (const event of events) {
    const step = update(state, event);
    expect(step.effect).toBeUndefined();
    ({ state } = step);
  }
  expect(after(state, ...keys('q')).effect).toEqual({ do: 'quit' });
  expect(after(state, ...keys('ctrl-c')).effect).toEqual({ do: 'quit' });
  expect(after(state, ...keys('ctrl-d')).effect).toEqual({ do: 'quit' });
  expect(after(state, ...keys('ctrl-z')).effect).toEqual({ do: 'suspend' });
});

test('r orders a reload, and how it fails is shown until a key is pressed', () => {
  const { state, effect } = after(began(), ...keys('r'));
  expect(effect).toEqual({ do: 'order', id: 1, order: { action: 'reload' } });
  expect(screen(state)).toContain('… reloading');
  const outcome = { ok: false, reason: 'slot 0 exited (code 7)', advice: 'Restore the former build' };
  const failed = after(
    state,
    { type: 'outcome', id: 1, outcome },
    { type: 'moment', moment: moment(workers(2), { at: NOON + 60_000 }) },
  ).state;
  expect(screen(failed)).toContain('✗ reload failed: slot 0 exited (code 7). Restore the former build');
  expect(screen(after(failed, ...keys('x')).state)).not.toContain('failed');
});

test('a reload that is done is said for five seconds', () => {
  const done: Event = { type: 'outcome', id: 1, outcome: { ok: true, reason: null } };
  const { state } = after(began(), ...keys('r'), done);
  const at = (ms: number): Event => ({ type: 'moment', moment: moment(workers(2), { at: NOON + ms }) });
  expect(screen(after(state, at(4_000)).state)).toContain('✓ Reloaded');
  expect(screen(after(state, at(5_000)).state)).not.toContain('Reloaded');
});

test('pressing + twice asks for two workers more, and only the last scaling is reported', () => {
  const { state, effect } = after(began(), ...keys('+', '+'));
  expect(effect).toEqual({ do: 'order', id: 2, order: { action: 'scale', instances: 4 } });
  const overtaken = after(state, {
    type: 'outcome',
    id: 1,
    outcome: { ok: false, reason: '4 workers are wanted by now' },
  }).state;
  expect(screen(overtaken)).not.toContain('failed');
  const done = after(overtaken, { type: 'outcome', id: 2, outcome: { ok: true, reason: null } }).state;
  expect(screen(done)).toContain('✓ Running 4 workers');
});

test('a failed reload is reported although a scaling was ordered after it', () => {
  const failed: Event = { type: 'outcome', id: 1, outcome: { ok: false, reason: 'boom' } };
  expect(screen(after(began(), ...keys('r', '+'), failed).state)).toContain('✗ reload failed: boom');
});

test('the last worker is not scaled away', () => {
  const { state, effect } = after(began(moment(workers(1))), ...keys('-'));
  expect(effect).toBeUndefined();
  expect(screen(state)).toContain('One worker is the least; s stops the service');
});

test('stopping takes a y after the question; any other key goes on', () => {
  const asked = after(began(), ...keys('s'));
  expect(asked.effect).toBeUndefined();
  expect(screen(asked.state)).toContain('Stop the service? y stop');
  for (const other of ['n', 's', 'up', 'r']) {
    const { state, effect } = after(asked.state, ...keys(other));
    expect([other, effect]).toEqual([other, undefined]);
    expect(screen(state)).not.toContain('Stop the service?');
  }
  expect(after(asked.state, ...keys('y')).effect).toEqual({
    do: 'order',
    id: 1,
    order: { action: 'stop' },
  });
});

test.each([
  ['r', 'pm2 reload api'],
  ['+', 'pm2 scale api 3'],
  ['-', 'pm2 scale api 1'],
  ['s', 'pm2 stop api'],
])('under PM2, %s shows "%s"', (key, command) => {
  const { state, effect } = after(began(moment(workers(2), { supervisedBy: 'pm2' })), ...keys(key));
  expect(effect).toBeUndefined();
  expect(screen(state)).toContain(`give the order to PM2: ${command}`);
});

test('o sorts by the next figure, the highest first', () => {
  const order = (state: State): string[] => screen(state).match(/\b470\d\b/g) ?? [];
  const { state } = after(began(moment(workers(3))));
  expect(order(state)).toEqual(['4700', '4701', '4702']);
  expect(order(after(state, ...keys('o')).state)).toEqual(['4702', '4701', '4700']);
  expect(screen(after(state, ...keys('o')).state)).toContain('sorted by cpu');
  expect(screen(after(state, ...keys('o', 'o', 'o', 'o', 'o', 'o')).state)).not.toContain('sorted by');
});

test('a paused view stays as it is, and goes on with what has come meanwhile', () => {
  const later: Event = {
    type: 'moment',
    moment: moment(workers(2), { at: NOON + 3_000, state: 'degraded' }),
  };
  const paused = after(began(), ...keys('p'), later, { type: 'log', lines: [logLine('meanwhile')] }).state;
  expect(screen(paused)).toContain('paused');
  expect(screen(paused)).not.toMatch(/degraded|meanwhile/);
  expect(screen(after(paused, ...keys('p')).state)).toMatch(/degraded[^]*meanwhile/);
});

test('errors come first on e, and a busy log does not push them out', () => {
  const busy = Array.from({ length: 2_000 }, (_, index) => logLine(`GET /${index} 200`));
  const lines = [logLine('boom', { level: 'error' }), logLine('careful', { level: 'warn' }), ...busy];
  const { state } = after(began(), { type: 'log', lines });
  expect(screen(state)).not.toContain('boom');
  expect(screen(after(state, ...keys('e')).state)).toMatch(
    /errors first[^]*boom\s[^]*careful\s[^]*GET \/1999/,
  );
  expect(state.data.lines).toHaveLength(500);
});

test('many workers are scrolled', () => {
  const { state } = after(began(moment(workers(64))));
  const range = (found: State): string => /workers \d+ to \d+ of \d+/.exec(screen(found))?.[0] ?? '';
  expect(range(state)).toBe('workers 1 to 12 of 64');
  expect(range(after(state, ...keys('down')).state)).toBe('workers 2 to 13 of 64');
  expect(range(after(state, ...keys('pagedown', 'pagedown')).state)).toBe('workers 25 to 36 of 64');
  expect(range(after(state, ...keys('end', 'down')).state)).toBe('workers 53 to 64 of 64');
  expect(range(after(state, ...keys('end', 'home', 'up')).state)).toBe('workers 1 to 12 of 64');
  expect(range(after(state, ...keys('end', 'o')).state)).toBe('workers 1 to 12 of 64');
  const small = after(state, { type: 'resize', size: { columns: 80, rows: 7 } }, ...keys('end')).state;
  expect(range(small)).toBe('workers 62 to 64 of 64');
});

test('a service that is gone is said so, with its last figures, until it is back', () => {
  const lost = after(began(), { type: 'lost', at: NOON + 1_000, reason: 'Nothing listens' }).state;
  expect(screen(lost)).toContain('✗ api gone since 12:30:01, trying again: Nothing listens');
  expect(screen(lost)).toContain('4701');
  const still = after(lost, { type: 'lost', at: NOON + 9_000, reason: 'Nothing listens' }).state;
  expect(screen(still)).toContain('gone since 12:30:01');
  const back = after(still, { type: 'moment', moment: moment(workers(2), { at: NOON + 10_000 }) }).state;
  expect(screen(back)).toContain('✓ api ready: 2 of 2 workers serve');
});

test('two minutes of moments are kept', () => {
  const events = Array.from({ length: 300 }, (_, second): Event => ({
    type: 'moment',
    moment: moment([], { at: NOON + second * 1_000 }),
  }));
  expect(after(began(), ...events).state.data.moments).toHaveLength(121);
});
