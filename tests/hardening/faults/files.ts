/** Files and file systems: full, read-only, removed. */
import { execFileSync } from 'node:child_process';
import { closeSync, copyFileSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HELD, HOLD_MS, type Fault, type Trial } from './fault.js';
import { KILLED, killMeanwhile, killOne } from './processes.js';
import { needsRoot, type Service, type Setting } from './service.js';

/** A file system of its own in memory, seen by the service alone; the processes end with it. */
const mounted = (path: string, options: string, then = 'true'): readonly string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o nr_inodes=200,${options} tmpfs "$0" && ${then} && exec "$@"`,
  path,
];

/** Writes until the file system is full: of data, and of files. @returns what makes room again */
function fill(folder: string): () => void {
  const written: string[] = [];
  const write = (size: number): boolean => {
    const path = join(folder, `filler-${written.length}`);
    try {
      const file = openSync(path, 'w');
      written.push(path);
      try {
        while (writeSync(file, Buffer.alloc(size, 1)) > 0);
      } finally {
        closeSync(file);
      }
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      return written.at(-1) === path;
    }
  };
  while (write(4_096));
  return () => {
    for (const path of written) rmSync(path);
  };
}

/** `RUN_DIR` and `TMPDIR` are on a small file system. */
const smallTmp = (folder: string, options = ''): Setting => ({
  launcher: mounted(join(folder, 'tmp'), `size=1m,mode=700${options}`),
  env: { RUN_DIR: join(folder, 'tmp', 'run') },
});

async function full(folder: string, trial: Trial): Promise<void> {
  const empty = fill(trial.service.seen(folder));
  try {
    await killMeanwhile(trial);
  } finally {
    empty();
  }
}

async function reloads({ service, expect }: Trial, expected: number): Promise<void> {
  const { code, text } = await service.command('reload');
  expect(code === expected, `reload exited with ${code}, expected ${expected}: ${text}`);
}

/** Moves a file away while a worker is replaced, and back. */
async function withoutFile(path: string, trial: Trial): Promise<void> {
  renameSync(path, `${path}.away`);
  try {
    await killMeanwhile(trial);
  } finally {
    renameSync(`${path}.away`, path);
  }
}

const appFolder = ({ folder }: Service): string => join(folder, 'app');

export const FILES: readonly Fault[] = [
  {
    name: 'log-disk-full',
    what: 'The disk of the log file is full for 3 s',
    under: ['native', 'alone'],
    needs: needsRoot,
    setting: folder => ({
      launcher: mounted(join(folder, 'tmp'), 'size=8m,mode=700', 'exec >> "$0/log"'),
      logFile: join(folder, 'tmp', 'log'),
      env: { WORKER_LOG_LEVEL: 'info' },
    }),
    async inflict({ service }) {
      const empty = fill(service.seen(join(service.folder, 'tmp')));
      await pause(HOLD_MS);
      empty();
    },
    logged: { native: /^Log lines are lost: ENOSPC/, alone: /^Log lines are lost: ENOSPC/ },
    healsWithinMs: 2_000,
    heals: 'it logs again',
  },
  {
    name: 'tmp-full',
    what: 'The disk of `RUN_DIR` and `TMPDIR` has no room and no inode left for 3 s; a worker is killed meanwhile',
    under: ['native', 'PM2'],
    needs: needsRoot,
    setting: smallTmp,
    inflict: trial => full(join(trial.service.folder, 'tmp'), trial),
    ...KILLED,
    healsWithinMs: 5_000,
    heals: 'the worker is replaced meanwhile',
  },
  {
    name: 'tmp-read-only',
    what: 'The disk of `RUN_DIR` and `TMPDIR` becomes read-only for 3 s; a worker is killed meanwhile',
    under: ['native', 'PM2', 'alone'],
    needs: needsRoot,
    setting: smallTmp,
    async inflict(trial) {
      const { pid, folder, host } = trial.service;
      const remount = (how: string): void =>
        void execFileSync('nsenter', [
          '--mount',
          '--target',
          String(pid),
          'mount',
          '-o',
          `remount,${how}`,
          join(folder, 'tmp'),
        ]);
      remount('ro');
      if (host !== 'alone') await killOne(trial);
      await pause(HOLD_MS);
      remount('rw');
    },
    ...KILLED,
    healsWithinMs: 5_000,
    heals: 'the worker is replaced meanwhile',
  },
  {
    name: 'tmp-never-writable',
    what: '`RUN_DIR` and `TMPDIR` are read-only from the start; a worker is killed',
    under: ['native', 'PM2'],
    needs: needsRoot,
    setting: folder => smallTmp(folder, ',ro'),
    inflict: killOne,
    hasControl: false,
    mayFail: HELD,
    logged: { native: /read-only \(EROFS\)/ },
    healsWithinMs: 5_000,
    heals: 'its successor serves; commands do not reach the service',
  },
  {
    name: 'shm-full',
    what: '`/dev/shm` is full from the start; a worker is killed',
    under: ['native'],
    needs: needsRoot,
    setting: () => ({
      launcher: mounted(
        '/dev/shm',
        'size=64k,mode=1777',
        'head -c 64k /dev/zero > /dev/shm/filler && test "$(stat -f -c %a /dev/shm)" = 0',
      ),
    }),
    inflict: killOne,
    ...KILLED,
    healsWithinMs: 5_000,
    heals: 'its successor serves',
  },
  {
    name: 'shm-full-later',
    what: '`/dev/shm` becomes full for 3 s; a worker is killed meanwhile',
    under: ['native'],
    needs: needsRoot,
    setting: () => ({ launcher: mounted('/dev/shm', 'size=256k,mode=1777') }),
    inflict: trial => full('/dev/shm', trial),
    ...KILLED,
    healsWithinMs: 5_000,
    heals: 'its successor serves',
  },
  {
    name: 'run-dir-removed',
    what: '`RUN_DIR` is removed',
    under: ['native'],
    async inflict({ service }) {
      rmSync(join(service.folder, 'run'), { recursive: true });
    },
    healsWithinMs: 15_000,
    heals: 'the supervisor makes it again',
  },
  {
    name: 'tmp-emptied',
    what: 'Everything in `TMPDIR` is removed; a worker is killed',
    under: ['native', 'PM2', 'alone'],
    async inflict(trial) {
      const { folder, host } = trial.service;
      for (const name of readdirSync(join(folder, 'tmp')))
        rmSync(join(folder, 'tmp', name), { recursive: true, force: true });
      if (host !== 'alone') await killOne(trial);
    },
    ...KILLED,
    healsWithinMs: 15_000,
    heals: 'the worker is replaced',
  },
  {
    name: 'build-missing',
    what: 'The program of the workers is missing for 3 s, as during a build; a worker is killed meanwhile',
    under: ['native', 'PM2'],
    inflict: trial => withoutFile(join(appFolder(trial.service), 'app.js'), trial),
    mayFail: HELD,
    logged: { native: /app\.js|Cannot find module|exited \(code 1\)/ },
    healsWithinMs: 20_000,
    heals: 'after the backoff, when it is there again',
  },
  {
    name: 'node-missing',
    what: 'The program of Node is missing for 3 s, as during an upgrade; a worker is killed meanwhile',
    under: ['native'],
    setting(folder) {
      const node = join(folder, 'node');
      copyFileSync(process.execPath, node);
      return { node };
    },
    inflict: trial => withoutFile(join(trial.service.folder, 'node'), trial),
    mayFail: HELD,
    logged: { native: /ENOENT|cannot be forked|Unable to fork/ },
    healsWithinMs: 20_000,
    heals: 'after the backoff, when it is there again',
  },
  {
    name: 'app-file-missing',
    what: 'The app file is missing during a reload',
    under: ['native'],
    async inflict(trial) {
      const file = join(appFolder(trial.service), 'ecosystem.config.js');
      renameSync(file, `${file}.away`);
      await reloads(trial, 1);
      renameSync(`${file}.away`, file);
      await reloads(trial, 0);
    },
    logged: { native: /ecosystem\.config\.js/ },
    healsWithinMs: 5_000,
    heals: 'the reload fails, the next one succeeds',
  },
  {
    name: 'odd-names',
    what: 'The folder of the app has quotes, spaces, `$(…)`, `%`, a line end and an emoji in its name; a reload',
    under: ['native'],
    setting: () => ({ named: 'a b\'c"d$(e)%20\n#😀' }),
    inflict: trial => reloads(trial, 0),
    healsWithinMs: 5_000,
    heals: 'no harm',
  },
];
