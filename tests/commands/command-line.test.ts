/** What the command line means, and what is said where it means nothing. */
import { resolve } from 'node:path';
import { COMMANDS, parseCommandLine, type CommandLine } from '../../src/commands/command-line.js';
import { ServiceError } from '../../src/errors.js';

const CWD = resolve('/srv/app');
const parse = (line: string): CommandLine => parseCommandLine(line === '' ? [] : line.split(' '), CWD);

const NOTHING_SAID: CommandLine = {
  command: 'start',
  file: resolve(CWD, 'ecosystem.config.js'),
  only: undefined,
  envName: undefined,
  watch: false,
  json: false,
  instances: undefined,
};

test('nothing means: start, with the app file of this folder', () => {
  expect(parse('')).toEqual(NOTHING_SAID);
});

test.each(COMMANDS.filter(command => command !== 'scale'))('%s', command => {
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
  ['reload --config other.config.js', { command: 'reload', file: resolve(CWD, 'other.config.js') }],
  ['reload --config=../x.json', { command: 'reload', file: resolve(CWD, '../x.json') }],
  ['--config /etc/app.config.js', { file: resolve('/etc/app.config.js') }],
  ['stop --only api', { command: 'stop', only: 'api' }],
  ['--env development', { envName: 'development' }],
  [
    'scale --env production 3 --only api',
    { command: 'scale', envName: 'production', only: 'api', instances: 3 },
  ],
])('%s', (line, expected) => {
  expect(parse(line)).toEqual({ ...NOTHING_SAID, ...expected });
});

test.each(['--help', '-h', 'help', 'scale --help', 'nonsense --help', 'status --watch -h'])(
  '%s asks for help, whatever else is there',
  line => {
    expect(parse(line).command).toBe('help');
  },
);

test.each([
  ['strat', 'Unknown command "strat"; did you mean start? Try --help'],
  ['relaod', 'Unknown command "relaod"; did you mean reload? Try --help'],
  ['stat', 'Unknown command "stat"; did you mean status? Try --help'],
  ['st', 'Unknown command "st". Try --help'],
  ['show', 'Unknown command "show". Try --help'],
  ['restart', 'Unknown command "restart"; did you mean reload? Try --help'],
  ['frobnicate', 'Unknown command "frobnicate". Try --help'],
  ['--frobnicate', "Unknown option '--frobnicate'. Try --help"],
  ['--confg x', "Unknown option '--confg'; did you mean --config? Try --help"],
  ['--jsn=1', "Unknown option '--jsn'; did you mean --json? Try --help"],
  ['--conf x', "Unknown option '--conf'; did you mean --config? Try --help"],
  ['--restart', "Unknown option '--restart'. Try --help"],
  ['-x', "Unknown option '-x'. Try --help"],
  ['-1', "Unknown option '-1'. Try --help"],
  ['--watch=yes', "Option '--watch' does not take an argument. Try --help"],
  ['--watch=yes --jsn', "Option '--watch' does not take an argument. Try --help"],
  ['stop --watch', '--watch is an option of start only'],
  ['reload --json', '--json is an option of status and check only'],
  ['--json', '--json is an option of status and check only'],
  ['scale', 'scale takes a number of workers from 1 to 1024, got nothing'],
  ['scale 0', 'scale 0 would stop the service; use stop'],
  ['scale 1025', 'scale takes a number of workers from 1 to 1024, got "1025"'],
  ['scale many', 'scale takes a number of workers from 1 to 1024, got "many"'],
  ['scale 1.5', 'scale takes a number of workers from 1 to 1024, got "1.5"'],
  ['scale 1e3', 'scale takes a number of workers from 1 to 1024, got "1e3"'],
  ['scale +2', 'scale takes a number of workers from 1 to 1024, got "+2"'],
  ['scale 2 3', 'scale N takes nothing behind it, got "3"'],
  ['reload now please', 'reload takes nothing behind it, got "now please"'],
  ['start api', 'start takes nothing behind it, got "api"'],
])('%s is refused: %s', (line, message) => {
  expect(() => parse(line)).toThrow(message);
  expect(() => parse(line)).toThrow(expect.objectContaining({ code: 'USAGE', exitCode: 2 }));
  expect(() => parse(line)).toThrow(ServiceError);
});

test.each(['config', 'only', 'env'])('--%s without its value is refused', option => {
  expect(() => parse(`--${option}`)).toThrow(`--${option}`);
  expect(() => parse(`--${option}`)).toThrow(expect.objectContaining({ exitCode: 2 }));
  expect(() => parse(`--${option}=`)).toThrow(`--${option} takes a value, got nothing`);
  expect(() => parse(`--${option}=`)).toThrow(expect.objectContaining({ exitCode: 2 }));
});
