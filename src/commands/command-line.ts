/** What the command line asks for: parsed and checked, nothing done. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_SECONDS, KINDS, MAX_SECONDS, type DiagnosticsRequest } from '../diagnostics/request.js';
import { errors } from '../errors.js';
import { MAX_WORKERS } from '../protocol/limits.js';
import { nearest } from '../utils/nearest.js';
import { defaultFile } from '../supervisor/app-file/read.js';

export const COMMANDS = [
  'start',
  'status',
  'monit',
  'reload',
  'upgrade',
  'scale',
  'stop',
  'check',
  'diagnose',
] as const;
export type Command = (typeof COMMANDS)[number];

/** Which service is meant, and what is to be done with it. */
export interface CommandLine {
  readonly command: Command | 'help' | 'version';
  /** Absolute path of the app file. */
  readonly file: string;
  /** Whether `--config` names it. */
  readonly isFileNamed: boolean;
  readonly only: string | undefined;
  readonly envName: string | undefined;
  readonly watch: boolean;
  readonly json: boolean;
  /** The N of `scale N`. */
  readonly instances: number | undefined;
  /** What the app file prints is not shown: a view has the terminal. */
  readonly isQuiet?: boolean;
  /** What `diagnose` wants, and of which slot. */
  readonly diagnosis: (DiagnosticsRequest & { readonly slot: number }) | undefined;
}

const OPTIONS = {
  config: { type: 'string' },
  only: { type: 'string' },
  env: { type: 'string' },
  watch: { type: 'boolean' },
  json: { type: 'boolean' },
  slot: { type: 'string' },
  seconds: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** Options that only some commands take. */
const BELONGS_TO: Readonly<Record<string, readonly Command[]>> = {
  watch: ['start'],
  json: ['status', 'check'],
  slot: ['diagnose'],
  seconds: ['diagnose'],
};

/** @throws ServiceError with exit code 2 */
export function parseCommandLine(argv: readonly string[], cwd: string): CommandLine {
  const { values, positionals } = parse(argv);
  const [word = 'start', ...rest] = positionals;
  const command = COMMANDS.find(known => known === word);
  if (values.help === true || word === 'help') return { ...blank(cwd), command: 'help' };
  if (values.version === true || word === 'version') return { ...blank(cwd), command: 'version' };
  if (command === undefined) throw errors.unknownCommand(word, meant(word, COMMANDS));
  for (const [option, commands] of Object.entries(BELONGS_TO)) {
    if (option in values && !commands.includes(command)) throw errors.optionOfOthers(option, commands);
  }
  for (const option of ['config', 'only', 'env'] as const)
    if (values[option] === '') throw errors.emptyOption(option);
  return {
    command,
    file: values.config === undefined ? defaultFile(cwd) : resolve(cwd, values.config),
    isFileNamed: values.config !== undefined,
    only: values.only,
    envName: values.env,
    watch: values.watch ?? false,
    json: values.json ?? false,
    ...argumentsOf(command, rest, values),
  };
}

const blank = (cwd: string): Omit<CommandLine, 'command'> => ({
  file: defaultFile(cwd),
  isFileNamed: false,
  only: undefined,
  envName: undefined,
  watch: false,
  json: false,
  instances: undefined,
  diagnosis: undefined,
});

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const [complaint = ''] = (error as Error).message.split('. ');
    const [, unknown] = /^Unknown option '--(.*)'/.exec(complaint) ?? [];
    const hint = unknown === undefined ? '.' : meant(unknown, Object.keys(OPTIONS), '--');
    throw errors.invalidOption(complaint.replace(/\.$/, ''), hint);
  }
}

type Arguments = Pick<CommandLine, 'instances' | 'diagnosis'>;

function argumentsOf(
  command: Command,
  rest: readonly string[],
  { slot = '0', seconds = String(DEFAULT_SECONDS) }: { slot?: string; seconds?: string },
): Arguments {
  if (command === 'scale') return { instances: numberOfWorkers(rest), diagnosis: undefined };
  if (command !== 'diagnose') return { instances: none(rest, command), diagnosis: undefined };
  const [word, ...more] = rest;
  none(more, 'diagnose WHAT');
  const kind = KINDS.find(known => known === word);
  if (kind === undefined) throw errors.invalidDiagnosis(word, KINDS);
  return {
    instances: undefined,
    diagnosis: {
      kind,
      slot: within('slot', slot, 0, MAX_WORKERS - 1),
      seconds: within('seconds', seconds, 1, MAX_SECONDS),
    },
  };
}

function within(option: string, text: string, min: number, max: number): number {
  if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw errors.invalidNumber(option, min, max, text);
}

function numberOfWorkers([word, ...rest]: readonly string[]): number {
  none(rest, 'scale N');
  if (word !== undefined && Number(word) === 0) throw errors.scaleToZero();
  if (word !== undefined && /^\d+$/.test(word) && Number(word) <= MAX_WORKERS) return Number(word);
  throw errors.invalidWorkerCount(word);
}

function none(rest: readonly string[], command: string): undefined {
  if (rest.length > 0) throw errors.unexpectedArguments(command, rest);
}

/** The end of a sentence that says what was meant; nothing where nothing comes near. */
function meant(word: string, known: readonly string[], mark = ''): string {
  const found = known.find(name => name === SYNONYMS[word]) ?? begunWith(word, known) ?? nearest(word, known);
  return found === undefined ? '.' : `; did you mean ${mark}${found}?`;
}

/** What others call a command of ours. */
const SYNONYMS: Readonly<Record<string, Command>> = { restart: 'reload' };

function begunWith(word: string, known: readonly string[]): string | undefined {
  const [only, ...others] = known.filter(name => name.startsWith(word));
  return others.length === 0 ? only : undefined;
}
