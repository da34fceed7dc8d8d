/** The last events of a service are kept, and given to those who know the ones before. */
import { createPool } from '../../../src/supervisor/core/step.js';
import { createEvents } from '../../../src/supervisor/report/events.js';
import { POLICY } from '../../support/world.js';

const pool = createPool(POLICY, 2);
const events = createEvents(worker => 100 + worker);
const texts = (after: number): string[] => events.since(after).events.map(({ text }) => text);

test('nothing has happened', () => {
  expect(events.since(0)).toEqual({ last: 0, events: [] });
});

test('who knows an event gets those after it', () => {
  events.notice({ type: 'reload.begun', slots: 2 }, pool);
  events.notice({ type: 'scaling', from: 2, to: 3 }, pool);
  events.notice({ type: 'slot.backoff', slot: 0, delayMs: 1 }, pool);
  expect(events.since(0)).toEqual({
    last: 2,
    events: [
      {
        kind: 'reload',
        text: 'Reloading 2 workers',
        slot: null,
        pid: null,
        stack: null,
        at: expect.any(Number) as number,
      },
      {
        kind: 'scale',
        text: 'Scaling from 2 to 3 workers',
        slot: null,
        pid: null,
        stack: null,
        at: expect.any(Number) as number,
      },
    ],
  });
  expect(texts(1)).toEqual(['Scaling from 2 to 3 workers']);
  expect(texts(2)).toEqual([]);
});

test('a number that nothing has yet is one of another supervisor', () => {
  expect(texts(99)).toEqual([]);
});

test('a reload that is refused says why', () => {
  const refused = { at: 1, ok: false, reason: 'no such file', advice: null };
  events.handled({ type: 'reload.refused' }, pool, refused);
  expect(texts(2)).toEqual(['Reload refused, nothing changes: no such file']);
});

test('the last two hundred are kept', () => {
  for (let n = 0; n < 300; n++) events.notice({ type: 'scaling', from: n, to: n + 1 }, pool);
  expect(texts(0)).toHaveLength(200);
  expect(texts(0).at(-1)).toBe('Scaling from 299 to 300 workers');
});
