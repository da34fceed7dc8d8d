import { isPreloaded } from '../../src/platform/preload.js';

test.each([
  [['--require', './agent.js'], ''],
  [['-r', './agent.js'], ''],
  [['--import=tsx'], ''],
  [[], '--max-old-space-size=64 --require ./agent.js'],
  [[], '--experimental-loader=./hooks.mjs'],
])('%j with NODE_OPTIONS=%j preloads code', (execArgv, nodeOptions) => {
  expect(isPreloaded(execArgv, nodeOptions)).toBe(true);
});

test.each([
  [[], ''],
  [['--inspect', '--enable-source-maps'], '--max-old-space-size=64'],
  [['--require-module'], ''],
])('%j with NODE_OPTIONS=%j does not', (execArgv, nodeOptions) => {
  expect(isPreloaded(execArgv, nodeOptions)).toBe(false);
});
