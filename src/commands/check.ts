/** `check`: what would run, and everything that is wrong or not followed; nothing is started. */
import { sentence, ServiceError } from '../errors.js';
import { EXIT } from '../protocol/exit-codes.js';
import type { Config } from '../config.js';
import { resolveService, type Reading } from '../supervisor/app-file/service.js';
import { readForCommand } from './app-file.js';
import type { CommandLine } from './command-line.js';

/** Prints the finding; the process exits with 0, or with 5 if the service could not start. */
export async function check(line: CommandLine): Promise<void> {
  const file = await readForCommand(line);
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  try {
    const reading = resolveService(file, line);
    print(line.json ? JSON.stringify(asJson(reading)) : asText(reading));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const { invalidValues, message, warnings } = error;
    const problems = invalidValues.length > 0 ? invalidValues.map(sentence) : [message];
    print(line.json ? JSON.stringify({ ok: false, problems, warnings }) : refusal(problems, warnings));
    process.exitCode = EXIT.configuration;
  }
}

const refusal = (problems: readonly string[], warnings: readonly string[]): string =>
  [
    '✗ The service could not start',
    ...problems.map(text => `  ${text}`),
    ...warnings.map(text => `  warning   ${text}`),
  ].join('\n');

function asJson({ app, instances, why, warnings, config, runDirectory }: Reading): object {
  const { name, script, cwd, file } = app;
  const { socket } = runDirectory;
  const { port, host } = config ?? {};
  return { ok: true, app: name, file, script, cwd, port, host, socket, workers: instances, why, warnings };
}

/** A foreign app's port is its own business; ours is known. */
const addressOf = ({ port, host = 'all addresses' }: Config): string[][] => [
  ['port', String(port)],
  ['host', host],
];

function asText({ app, instances, why, warnings, settings, config, runDirectory }: Reading): string {
  const rows = [
    ['app', app.name],
    ['app file', app.file],
    ['script', app.script],
    ['folder', app.cwd],
    ...(config === undefined ? [] : addressOf(config)),
    ...(app.runAs === undefined ? [] : [['user', `${app.runAs.uid} (group ${app.runAs.gid})`]]),
    ['socket', runDirectory.socket],
    ['workers', `${instances} (${why})`],
    ['NODE_ENV', settings.nodeEnv],
  ];
  return [
    `✓ App file and environment are valid${warnings.length === 0 ? '' : `, with ${warnings.length} warning${warnings.length === 1 ? '' : 's'}`}`,
    ...rows.map(([name = '', value = '']) => `  ${name.padEnd(10)}${value}`),
    ...warnings.map(warning => `  warning   ${warning}`),
  ].join('\n');
}
