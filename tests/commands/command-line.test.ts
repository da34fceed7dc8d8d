/** What the command line means, and what is said where it means nothing. */
import { resolve } from 'node:path';
import { COMMANDS, parseCommandLine, type CommandLine } from '../../src/commands/command-line.js';
import { ServiceError } from '../../src/errors.js';

const CWD = resolve('/srv/app');
const parse = (line: string): CommandLine => parseCommandLine(line === '' ? [] : line.split(' '), CWD);

const NOTHING_SAID: CommandLine = {
  command: 'start',
  file: resolve(CWD, 'ecosystem.config.js'),
  isFileNamed: false,
  only: undefined,
  envName: undefined,
  watch: false,
  json: false,
  instances: undefined,
  diagnosis: undefined,
};

test('nothing means: start, with the app file of this folder', () => {
  expect(parse('')).toEqual(NOTHING_SAID);
});

test.each(COMMANDS.filter(command => command !== 'scale' && command !== 'diagnose'))('%s', command => {
  expect(parse(command)).toEqual({ ...NOTHING_SAID, command });
});

test.each<[string, Partial<CommandLine>]>([
  ['start --watch', { watch: true }],
  ['--watch', { watch: true }],
  ['status --json', { command: 'status', json: true }],
  ['--json status', { command: 'status', json: true }],
  ['check --json', { command: 'check', json: true }],
  ['scale 1', { command: 'scale', instances: 1 }],
  ['scale 1024', { command: 'scale', instances: 1024 }],
  [
    'reload --config other.config.js',
    { command: 'reload', file: resolve(CWD, 'other.config.js'), isFileNamed: true },
  ],
  ['reload --config=../x.json', { command: 'reload', file: resolve(CWD, '../x.json'), isFileNamed: true }],
  ['--config /etc/app.config.js', { file: resolve('/etc/app.config.js'), isFileNamed: true }],
  ['diagnose heap', { command: 'diagnose', diagnosis: { kind: 'heap', slot: 0, seconds: 10 } }],
  [
    'diagnose cpu --slot 1 --seconds 30',
    { command: 'diagnose', diagnosis: { kind: 'cpu', slot: 1, seconds: 30 } },
  ],
  ['stop --only api', { command: 'stop', only: 'api' }],
  ['--env development', { envName: 'development' }],
  [
    'scale --env production 3 --only api',
    { command: 'scale', envName: 'production', only: 'api', instances: 3 },
  ],
])('%s', (line, expected) => {
  expect(parse(line)).toEqual({ ...NOTHING_SAID, ...expected });
});

test.each(['--version', '-v', 'version'])('%s asks for the version', line => {
  expect(parse(line).command).toBe('version');
});

test.each(['--help', '-h', 'help', 'scale --help', 'nonsense --help', 'status --watch -h'])(
  '%s asks for help, next to any other argument',
  line => {
    expect(parse(line).command).toBe('help');
  },
);

test.each([
  ['strat', 'Unknown command "strat"; did you mean start? Try --help', 'UNKNOWN_COMMAND'],
  ['relaod', 'Unknown command "relaod"; did you mean reload? Try --help', 'UNKNOWN_COMMAND'],
  ['stat', 'Unknown command "stat"; did you mean status? Try --help', 'UNKNOWN_COMMAND'],
  ['st', 'Unknown command "st". Try --help', 'UNKNOWN_COMMAND'],
  ['diagnose', 'diagnose takes one of cpu, heap, report, got nothing', 'INVALID_DIAGNOSIS'],
  ['diagnose memory', 'diagnose takes one of cpu, heap, report, got "memory"', 'INVALID_DIAGNOSIS'],
  ['diagnose cpu now', 'diagnose WHAT takes no further arguments, got "now"', 'UNEXPECTED_ARGUMENTS'],
  ['diagnose cpu --seconds 0', '--seconds takes a whole number from 1 to 300, got "0"', 'INVALID_NUMBER'],
  ['diagnose cpu --slot a', '--slot takes a whole number from 0 to 1023, got "a"', 'INVALID_NUMBER'],
  ['reload --slot 1', '--slot is an option of diagnose only', 'OPTION_OF_OTHERS'],
  ['show', 'Unknown command "show". Try --help', 'UNKNOWN_COMMAND'],
  ['restart', 'Unknown command "restart"; did you mean reload? Try --help', 'UNKNOWN_COMMAND'],
  ['frobnicate', 'Unknown command "frobnicate". Try --help', 'UNKNOWN_COMMAND'],
  ['--frobnicate', "Unknown option '--frobnicate'. Try --help", 'INVALID_OPTION'],
  ['--confg x', "Unknown option '--confg'; did you mean --config? Try --help", 'INVALID_OPTION'],
  ['--jsn=1', "Unknown option '--jsn'; did you mean --json? Try --help", 'INVALID_OPTION'],
  ['--conf x', "Unknown option '--conf'; did you mean --config? Try --help", 'INVALID_OPTION'],
  ['--restart', "Unknown option '--restart'. Try --help", 'INVALID_OPTION'],
  ['-x', "Unknown option '-x'. Try --help", 'INVALID_OPTION'],
  ['-1', "Unknown option '-1'. Try --help", 'INVALID_OPTION'],
  ['--watch=yes', "Option '--watch' does not take an argument. Try --help", 'INVALID_OPTION'],
  ['--watch=yes --jsn', "Option '--watch' does not take an argument. Try --help", 'INVALID_OPTION'],
  ['stop --watch', '--watch is an option of start only', 'OPTION_OF_OTHERS'],
  ['reload --json', '--json is an option of status and check only', 'OPTION_OF_OTHERS'],
  ['--json', '--json is an option of status and check only', 'OPTION_OF_OTHERS'],
  ['scale', 'scale takes a number of workers from 1 to 1024, got nothing', 'INVALID_WORKER_COUNT'],
  ['scale 0', 'scale 0 would stop the service; use stop', 'SCALE_TO_ZERO'],
  ['scale 1025', 'scale takes a number of workers from 1 to 1024, got "1025"', 'INVALID_WORKER_COUNT'],
  ['scale many', 'scale takes a number of workers from 1 to 1024, got "many"', 'INVALID_WORKER_COUNT'],
  ['scale 1.5', 'scale takes a number of workers from 1 to 1024, got "1.5"', 'INVALID_WORKER_COUNT'],
  ['scale 1e3', 'scale takes a number of workers from 1 to 1024, got "1e3"', 'INVALID_WORKER_COUNT'],
  ['scale +2', 'scale takes a number of workers from 1 to 1024, got "+2"', 'INVALID_WORKER_COUNT'],
  ['scale 2 3', 'scale N takes no further arguments, got "3"', 'UNEXPECTED_ARGUMENTS'],
  ['reload now please', 'reload takes no further arguments, got "now please"', 'UNEXPECTED_ARGUMENTS'],
  ['start api', 'start takes no further arguments, got "api"', 'UNEXPECTED_ARGUMENTS'],
])('%s is refused: %s', (line, message, code) => {
  expect(() => parse(line)).toThrow(message);
  expect(() => parse(line)).toThrow(expect.objectContaining({ code, exitCode: 2 }));
  expect(() => parse(line)).toThrow(ServiceError);
});

test.each(['config', 'only', 'env'])('--%s without its value is refused', option => {
  expect(() => parse(`--${option}`)).toThrow(`--${option}`);
  expect(() => parse(`--${option}`)).toThrow(expect.objectContaining({ exitCode: 2 }));
  expect(() => parse(`--${option}=`)).toThrow(`--${option} takes a value, got nothing`);
  expect(() => parse(`--${option}=`)).toThrow(expect.objectContaining({ exitCode: 2 }));
});
