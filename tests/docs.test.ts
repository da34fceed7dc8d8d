/** The documentation agrees with the code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REDACTED_QUERY } from '../src/config.js';
import { errors, type ServiceError } from '../src/errors.js';
import { EXIT } from '../src/protocol/exit-codes.js';
import { exitCodeOf } from '../src/commands/status.js';
import { LOG_LEVELS } from '../src/config.js';
import type { Health } from '../src/supervisor/core/health.js';
import { NATIVE, PM2 } from './support/guarantees.js';
import { ROOT } from './support/processes.js';
import { envExample, GUIDES, TABLE, variablesTable, withFiles } from './support/generated-pages.js';

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const README = read('README.md');

test('the README has the table of variables, and .env.example is up to date; `yarn docs` writes both', () => {
  expect(TABLE.exec(README)?.[0].trim()).toBe(variablesTable());
  expect(read('.env.example')).toBe(envExample());
});

test.each(GUIDES)('the code of %s is that of the examples; `yarn docs` writes it', name => {
  expect(read(name)).toBe(withFiles(read(name)));
});

test('the games example is three new files', () => {
  const files = readdirSync(join(ROOT, 'examples', 'games'), { recursive: true, withFileTypes: true });
  expect(files.filter(entry => entry.isFile())).toHaveLength(3);
});

test('the table of exit codes is complete and has no others', () => {
  const [, table = ''] =
    /## Exit codes[\s\S]*?\| -+ \| -+ \|\n([\s\S]*?)\n\n/.exec(read('docs/operations.md')) ?? [];
  expect([...table.matchAll(/^\| (\d) +\|/gm)].map(([, code]) => Number(code))).toEqual(Object.values(EXIT));
});

test('every state of the service is explained, with the exit code of status', () => {
  const [, table = ''] =
    /## Status[\s\S]*?\n\| -+ [^\n]*\n([\s\S]*?)\n\n/.exec(read('docs/operations.md')) ?? [];
  const explained = [...table.matchAll(/^\| `([a-z-]+)` +\| (\d) +\|/gm)].map(([, state = '', code]) => [
    state,
    Number(code),
  ]);
  const served: Readonly<Record<Health, number>> = {
    ready: 2,
    reloading: 2,
    degraded: 1,
    hung: 1,
    'crash-looping': 1,
    starting: 0,
    down: 0,
    stopping: 0,
  };
  const codes = Object.entries(served).map(([state, count]) => [
    state,
    exitCodeOf({ state: state as Health, served: count, wanted: 2 }),
  ]);
  expect(Object.fromEntries(explained)).toEqual(Object.fromEntries(codes));
});

/** One error of each kind, with the values of the documentation. */
const ERRORS: Readonly<Record<keyof typeof errors, ServiceError>> = {
  invalidConfiguration: errors.invalidConfiguration([
    { name: 'PORT', expected: 'a whole number from 0 to 65535', got: 'abc' },
    { name: 'LOG_LEVEL', expected: 'one of debug, info', got: undefined },
  ]),
  notBuilt: errors.notBuilt('/srv/app/dist/index.js'),
  noProgram: errors.noProgram('/srv/other/dist/main.js'),
  portTaken: errors.portTaken({ port: 3001, host: '127.0.0.1' }, 'pid 4711 (node)'),
  socketsNotTaken: errors.socketsNotTaken('v20.20.2'),
  notLookedUp: errors.notLookedUp('api.internal'),
  outOfResources: errors.outOfResources(
    'Unable to listen on port 3001',
    'too many open files in this process (EMFILE); raise its limit (ulimit -n, LimitNOFILE=)',
  ),
  resourceNotOpened: errors.resourceNotOpened(
    'database',
    'connect ECONNREFUSED 127.0.0.1:5432',
    new Error('connect ECONNREFUSED 127.0.0.1:5432'),
  ),
  watchLimit: errors.watchLimit(
    Object.assign(
      new Error("ENOSPC: System limit for number of file watchers reached, watch '/srv/app/data'"),
      { code: 'ENOSPC' },
    ),
  ),
  alreadyRunning: errors.alreadyRunning('pid 4711', '/run/api/supervisor.sock'),
  runDirTaken: errors.runDirTaken(
    { name: 'other', file: '/srv/other/ecosystem.config.js' },
    'pid 4711',
    '/run/api/supervisor.sock',
  ),
  otherService: errors.otherService(
    { name: 'a', file: '/srv/a/ecosystem.config.js' },
    { name: 'b', file: undefined },
    '/run/api/supervisor.sock',
  ),
  noSupervisor: errors.noSupervisor('/tmp/api-0-1234abcd/supervisor.sock', false),
  notNative: errors.notNative('cabe-arena-api', 4711, 'use "pm2 reload cabe-arena-api"'),
  noAnswer: errors.noAnswer('/run/api/supervisor.sock'),
  supervisorGone: errors.supervisorGone('/run/api/supervisor.sock'),
  notYours: errors.notYours('/run/api/supervisor.sock'),
  untrustedFolder: errors.untrustedFolder('/tmp/api-0-1234abcd belongs to user 1000'),
  notASupervisor: errors.notASupervisor('/run/api/supervisor.sock'),
  noWorker: errors.noWorker(7, [0, 1]),
  unknownCommand: errors.unknownCommand('relaod', '; did you mean reload?'),
  invalidOption: errors.invalidOption("Unknown option '--confg'", '; did you mean --config?'),
  optionOfOthers: errors.optionOfOthers('json', ['status', 'check']),
  noTerminal: errors.noTerminal('standard input or standard output is not a terminal'),
  emptyOption: errors.emptyOption('only'),
  unexpectedArguments: errors.unexpectedArguments('reload', ['now']),
  scaleToZero: errors.scaleToZero(),
  invalidDiagnosis: errors.invalidDiagnosis('memory', ['cpu', 'heap', 'report']),
  invalidNumber: errors.invalidNumber('seconds', 1, 300, '1h'),
  invalidWorkerCount: errors.invalidWorkerCount('many'),
};

test('every error is documented with its sentence and exit code, and there are no others', () => {
  const rows = read('docs/errors.md').matchAll(
    /^\| `([A-Z_]+)` +\| (.+?) +\| (.+?) +\| (.+?) +\| (\d) +\|$/gm,
  );
  const documented = [...rows].map(([, code, message, , , exitCode]) => ({
    code,
    message,
    exitCode: Number(exitCode),
  }));
  expect(documented).toEqual(
    Object.values(ERRORS).map(({ code, message, exitCode }) => ({ code, message, exitCode })),
  );
});

test('errors are created in errors.ts only', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && name !== 'errors.ts')
    .filter(name => read(join('src', name)).includes('new ServiceError('));
  expect(sources).toEqual([]);
});

test('every table of reload measurements has a row for each guarantee', () => {
  const rows = [
    ...read('docs/reload-measurements.md').matchAll(/^\| (.+?) +\| (?:shared|per-slot|cluster) /gm),
  ];
  const names = [...NATIVE, ...PM2].map(({ name }) => name);
  const tables = rows.length / names.length;
  expect(rows.map(([, name]) => name)).toEqual(Array.from({ length: tables }, () => names).flat());
});

test('every query parameter that is redacted by default is documented', () => {
  const [, list = ''] =
    /\*\*query parameters\*\*([^]*?)LOG_REDACTED_QUERY/.exec(read('docs/operations.md')) ?? [];
  expect([...list.matchAll(/`([^`\s]+)`/g)].map(([, name]) => name)).toEqual(REDACTED_QUERY);
});

test('the README names every log level', () => {
  expect(README).toContain(LOG_LEVELS.join(', '));
});

const FOLDERS = ['.', 'docs', join('docs', 'decisions')];
const DOCUMENTS = FOLDERS.flatMap(folder =>
  readdirSync(join(ROOT, folder))
    .filter(name => name.endsWith('.md'))
    .map(name => join(folder, name)),
);

test('every script that the documents name exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = DOCUMENTS.flatMap(name =>
    [...read(name).matchAll(/(?:\byarn|yarn\.cjs|\bnpm run) ([a-z][a-z:]+)/g)].map(
      ([, script]) => script ?? '',
    ),
  );
  const builtin = new Set(['add', 'install', 'workspaces']);
  expect([...new Set(named)].filter(script => !builtin.has(script) && !(script in scripts))).toEqual([]);
});

/** The anchors that GitHub creates from the headings of a page. */
const anchorsOf = (path: string): string[] =>
  [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(DOCUMENTS)('every link of %s has a target', name => {
  const prose = read(name).replace(/^```[\s\S]*?^```$/gm, '');
  const links = [...prose.matchAll(/\]\(((?!https?:)[^)\s]+)/g)].map(([, link = '']) => link);
  const broken = links.filter(link => {
    const [target = '', anchor] = link.split('#');
    const path = target === '' ? name : join(dirname(name), target);
    if (!existsSync(join(ROOT, path))) return true;
    return anchor !== undefined && !anchorsOf(path).includes(anchor);
  });
  expect(broken).toEqual([]);
});

/** The guides also name files that they add, by their later place. */
const PLACES = ['.', 'examples/games', 'examples/clock', 'examples/chat'];
test.each(DOCUMENTS)('every source file that %s names exists', name => {
  const named = [...read(name).matchAll(/`((?:src|tests|bench|scripts)\/[\w./-]+\.(?:ts|cjs|js))`/g)].flatMap(
    ([, path = '']) => path,
  );
  const exists = (path: string): boolean => PLACES.some(place => existsSync(join(ROOT, place, path)));
  expect(named.filter(path => !exists(path))).toEqual([]);
});
