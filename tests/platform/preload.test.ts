import { isPreloaded, type StartedWith } from '../../src/platform/preload.js';

const PLAIN: StartedWith = { execArgv: [], nodeOptions: '', required: [] };

test.each<[string, Partial<StartedWith>]>([
  ['--require', { execArgv: ['--require', './agent.js'] }],
  ['-r', { execArgv: ['-r', './agent.js'] }],
  ['--import=', { execArgv: ['--import=tsx'] }],
  ['--require in NODE_OPTIONS', { nodeOptions: '--max-old-space-size=64 --require ./agent.js' }],
  ['--experimental-loader= in NODE_OPTIONS', { nodeOptions: '--experimental-loader=./hooks.mjs' }],
  ['an import of the entry file', { required: ['/app/dist/platform/preload.js', '/app/dist/tracing.js'] }],
])('%s preloads code', (_, started) => {
  expect(isPreloaded({ ...PLAIN, ...started })).toBe(true);
});

test.each<[string, Partial<StartedWith>]>([
  ['no option', {}],
  ['--inspect', { execArgv: ['--inspect', '--enable-source-maps'], nodeOptions: '--max-old-space-size=64' }],
  ['--require-module', { execArgv: ['--require-module'] }],
  [
    'the entry file as it comes',
    { required: ['/app/dist/platform/preload.js', '/app/dist/worker.bundle.js', '/app/dist/worker/main.js'] },
  ],
])('%s preloads nothing', (_, started) => {
  expect(isPreloaded({ ...PLAIN, ...started })).toBe(false);
});
