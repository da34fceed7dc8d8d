/** Our own worker for tests of the watchdog: its main loop blocks when a request asks for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APP_FILE, folder, ROOT } from './processes.js';

/** JavaScript by which the main loop can be blocked, for so many milliseconds. */
const HANGS = `
const hangs = {
  loop(ms) { for (const end = performance.now() + ms; performance.now() < end;); },
  regex(ms) { for (const end = performance.now() + ms; performance.now() < end;) /^(a+)+$/.test('a'.repeat(26) + 'b'); },
  wait(ms) { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms); },
  sleep(ms) { require('node:child_process').spawnSync('sleep', [String(ms / 1_000)]); },
  microtasks(ms) {
    const end = performance.now() + ms;
    const spin = () => { if (performance.now() < end) Promise.resolve().then(spin); };
    spin();
  },
  snapshot() { require('node:v8').writeHeapSnapshot(); },
  stop() { process.kill(process.pid, 'SIGSTOP'); },
};
`;

export type Hang = 'loop' | 'regex' | 'wait' | 'sleep' | 'microtasks' | 'snapshot' | 'stop';

/** A path of {@link hangingWorker} that answers, and then blocks the loop for so long. */
export const hangPath = (how: Hang, ms: number): string => `/hang/${how}/${ms}`;

/** @returns the program of the built worker, with {@link hangPath} in front of its routes */
export function hangingWorker(prelude = ''): string {
  const program = join(folder(), 'app.js');
  writeFileSync(
    program,
    `${HANGS}${prelude}
     const http = require('node:http');
     const { createServer } = http;
     http.createServer = function (...needs) {
       const server = Reflect.apply(createServer, http, needs);
       return server.prependListener('request', ({ url }) => {
         const [, how, ms] = /^\\/hang\\/(\\w+)\\/(\\d+)$/.exec(url) ?? [];
         if (how !== undefined) setTimeout(function hangNow() { hangs[how](Number(ms)); }, 50);
       });
     };
     require(${JSON.stringify(join(ROOT, 'dist', 'worker.bundle.js'))}).runWorker();`,
  );
  return program;
}

/** The real app file with such a worker, and fields of the test's own. @returns its path */
export function hangingAppFile(fields: object = {}): string {
  const program = hangingWorker();
  const path = join(program, '..', 'ecosystem.config.js');
  writeFileSync(
    path,
    `const { apps: [app] } = require(${JSON.stringify(APP_FILE)});
     module.exports = { apps: [{ ...app, script: './app.js', cwd: __dirname, ...${JSON.stringify(fields)} }] };`,
  );
  return path;
}
