import { watchDescriptors } from '../../src/observability/descriptors.js';

/** A process whose opens fail with a code, and what it says. */
function limited() {
  const state = { code: undefined as string | undefined, now: 0, said: [] as string[] };
  const fail = (): void => {
    if (state.code !== undefined) throw Object.assign(new Error('failed'), { code: state.code });
  };
  const { look } = watchDescriptors(
    msg => state.said.push(msg),
    fail,
    () => state.now,
  );
  return { state, look };
}

test('a process that can open files says nothing', () => {
  const said: string[] = [];
  watchDescriptors(msg => said.push(msg)).look();
  expect(said).toEqual([]);
});

test('too many open files are reported with the cure, once a minute', () => {
  const { state, look } = limited();
  state.code = 'EMFILE';
  for (state.now = 0; state.now < 60_000; state.now += 1_000) look();
  expect(state.said).toEqual([
    `Worker ${process.pid} closes new connections without an answer: too many open files in this process (EMFILE); raise its limit (ulimit -n, LimitNOFILE=)`,
  ]);
  state.code = undefined;
  look();
  state.code = 'ENFILE';
  look();
  expect(state.said).toHaveLength(2);
});

test('where the file cannot be opened for another reason, nothing is said', () => {
  const { state, look } = limited();
  state.code = 'ENOENT';
  look();
  expect(state.said).toEqual([]);
});
