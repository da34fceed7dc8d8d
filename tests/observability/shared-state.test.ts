/** What the observer thread finds in the memory that it shares with the main thread. */
import {
  answerPing,
  createSharedState,
  noteInFlight,
  viewSharedState,
  type InFlight,
  type SharedView,
} from '../../src/observability/shared-state.js';

function shared(wake = jest.fn()): { inFlight: InFlight; view: SharedView; memory: SharedArrayBuffer } {
  const memory = createSharedState();
  return { memory, inFlight: noteInFlight(memory, wake), view: viewSharedState(memory) };
}

test('requests in flight are listed from their begin to their end, the oldest first', () => {
  const { inFlight, view } = shared();
  const first = inFlight.begin('a-1', 'GET', '/one?token=secret', 200);
  const second = inFlight.begin('a-2', 'POST', '/two', 100);
  expect(view.requests()).toEqual([
    { id: 'a-2', method: 'POST', path: '/two', startedAt: 100 },
    { id: 'a-1', method: 'GET', path: '/one', startedAt: 200 },
  ]);
  inFlight.end(second);
  expect(view.requests().map(({ id }) => id)).toEqual(['a-1']);
  inFlight.end(first);
  expect([view.requests(), view.inFlight(), view.started()]).toEqual([[], 0, 2]);
});

test('a long path is cut, and characters beyond Latin-1 do no harm', () => {
  const { inFlight, view } = shared();
  inFlight.begin('long', 'GET', `/${'x'.repeat(5_000)}`, 1);
  inFlight.begin('wide', 'GET', '/\u{1f600} /é', 2);
  const [long, wide] = view.requests();
  expect(long?.path).toMatch(/^\/x{200,300}$/);
  expect(wide?.path).toContain(' /é');
});

test('more requests than there is room for are counted, and room is used again', () => {
  const { inFlight, view } = shared();
  const places = Array.from({ length: 1_000 }, (_, n) => inFlight.begin(`id-${n}`, 'GET', '/', 1 + n));
  expect([view.inFlight(), view.requests().length]).toEqual([1_000, 128]);
  for (const place of places) inFlight.end(place);
  inFlight.begin('again', 'GET', '/', 5);
  expect(view.requests().map(({ id }) => id)).toEqual(['again']);
});

test('the first request after a rest wakes the thread, and no other does', () => {
  const wake = jest.fn();
  const { inFlight, view } = shared(wake);
  inFlight.begin('1', 'GET', '/', 1);
  expect(wake).not.toHaveBeenCalled();
  view.rest(true);
  inFlight.begin('2', 'GET', '/', 1);
  inFlight.begin('3', 'GET', '/', 1);
  expect(wake).toHaveBeenCalledTimes(1);
});

test('an answered ping says whether a debugger may be attached', () => {
  const { memory, view } = shared();
  expect([view.answered(), view.hasDebugger()]).toEqual([0, false]);
  answerPing(memory, 7, true);
  expect([view.answered(), view.hasDebugger()]).toEqual([7, true]);
});
