/**
 * Every failure that this service can name: a stable code, one sentence that says what to do, and the exit code of the
 * process. `docs/errors.md` lists them all, with cause and cure; `tests/docs.test.ts` holds it to this file.
 */
import { inspect } from 'node:util';
import { EXIT } from './protocol/exit-codes.js';
import { MAX_WORKERS } from './protocol/limits.js';

/** A value that cannot be used. */
export interface InvalidValue {
  /** Variable or field, as its reader knows it: `PORT`, `apps[0].kill_timeout`. */
  readonly name: string;
  /** What may stand there, as the end of the sentence "… must be". */
  readonly expected: string;
  /** What was found; `undefined` for nothing at all. */
  readonly got: unknown;
}

interface Details extends ErrorOptions {
  readonly warnings?: readonly string[];
}

/** A failure with a name. Anything else that is thrown is a bug and exits with {@link EXIT.internal}. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;
  readonly exitCode: number;
  /** All of them, where one failure stands for several. */
  readonly invalidValues: readonly InvalidValue[];
  /** What was found besides, and would not have been a failure. */
  readonly warnings: readonly string[];

  constructor(
    code: string,
    message: string,
    exitCode: number = EXIT.internal,
    invalidValues: readonly InvalidValue[] = [],
    { warnings = [], ...options }: Details = {},
  ) {
    super(message, options);
    this.code = code;
    this.exitCode = exitCode;
    this.invalidValues = invalidValues;
    this.warnings = warnings;
  }
}

/** Makes a failure of the command line; the process exits with {@link EXIT.usage}. */
const usage = (code: string, message: string): ServiceError => new ServiceError(code, message, EXIT.usage);

export const errors = {
  invalidConfiguration: (invalidValues: readonly InvalidValue[], warnings: readonly string[] = []) =>
    new ServiceError(
      'INVALID_CONFIGURATION',
      `Invalid configuration: ${invalidValues.map(sentence).join('; ')}`,
      EXIT.configuration,
      invalidValues,
      { warnings },
    ),

  notBuilt: (script: string, warnings: readonly string[] = []) =>
    new ServiceError(
      'NOT_BUILT',
      `${script} does not exist; run "yarn build" (or "npm run build") first`,
      EXIT.configuration,
      [],
      { warnings },
    ),

  /** @param script of another program than ours, which is built in its own way */
  noProgram: (script: string, warnings: readonly string[] = []) =>
    new ServiceError(
      'NO_PROGRAM',
      `${script} does not exist; build it, or correct script or cwd in the app file`,
      EXIT.configuration,
      [],
      { warnings },
    ),

  portTaken: ({ port, host }: { readonly port: number; readonly host: string | undefined }, owner?: string) =>
    new ServiceError(
      'PORT_TAKEN',
      `Port ${port}${host === undefined ? '' : ` of ${host}`} is already in use${owner === undefined ? '' : ` by ${owner}`}; stop that process or set PORT`,
      EXIT.portTaken,
    ),

  /** @param node the version that cannot share a port among sockets */
  socketsNotTaken: (node: string) =>
    new ServiceError(
      'SOCKETS_NOT_TAKEN',
      `Node ${node} cannot take over the sockets of the running service, one for each worker; upgrade to Node 22.12 or later, or restart the service`,
    ),

  notLookedUp: (host: string | undefined) =>
    new ServiceError(
      'HOST_NOT_LOOKED_UP',
      `HOST=${host} cannot be looked up at the moment; try again later, or set HOST to an address of this machine`,
    ),

  /** @param cause what the system has too little of, with the cure */
  outOfResources: (what: string, cause: string) => new ServiceError('OUT_OF_RESOURCES', `${what}: ${cause}`),

  /** @param reason one line of what `open` has thrown, which is the `cause` */
  resourceNotOpened: (name: string, reason: string, cause: unknown) =>
    new ServiceError(
      'RESOURCE_NOT_OPENED',
      `The resource ${name} could not be opened: ${reason}`,
      EXIT.internal,
      [],
      { cause },
    ),

  watchLimit: ({ code, message }: NodeJS.ErrnoException) =>
    new ServiceError(
      'WATCH_LIMIT',
      `Unable to watch files: ${message}; raise ${code === 'ENOSPC' ? 'fs.inotify.max_user_watches' : 'fs.inotify.max_user_instances or the limit of open files'}, or watch fewer folders`,
    ),

  /** @param pid of the other supervisor, in words where it does not answer */
  alreadyRunning: (pid: string, socket: string) =>
    new ServiceError(
      'ALREADY_RUNNING',
      `A supervisor of this service is already running (${pid}, ${socket}); stop it, or set RUN_DIR for a second one`,
    ),

  /** RUN_DIR leads to the supervisor of another service than the one to start. */
  runDirTaken: (holder: ServiceName, pid: string, socket: string) =>
    new ServiceError(
      'RUN_DIR_TAKEN',
      `RUN_DIR is in use by another service: ${serviceText(holder)} (${pid}, ${socket}); give each service a RUN_DIR of its own`,
    ),

  /** A command has reached another service than the one it names. */
  otherService: (found: ServiceName, meant: ServiceName, socket: string) =>
    new ServiceError(
      'OTHER_SERVICE',
      `Nothing was done: the service at ${socket} is ${serviceText(found)}, not ${serviceText(meant)}; correct RUN_DIR, --only or --config`,
    ),

  /** @param isNamed whether RUN_DIR has named the socket */
  noSupervisor: (socket: string, isNamed: boolean) =>
    new ServiceError(
      'NO_SUPERVISOR',
      `No supervisor runs this service: nothing listens at ${socket}${isNamed ? '' : '; if it was started with RUN_DIR, set it here, too'}`,
    ),

  /**
   * @param daemon pid of PM2
   * @param cure what PM2 has for that command: `use "pm2 stop api"`
   */
  notNative: (name: string, daemon: number, cure: string) =>
    usage('NOT_NATIVE', `PM2 (pid ${daemon}) runs ${name}, not the native supervisor: ${cure}`),

  noAnswer: (socket: string) => new ServiceError('NO_ANSWER', `The supervisor does not answer (${socket})`),

  supervisorGone: (socket: string) =>
    new ServiceError('SUPERVISOR_GONE', `The supervisor ended before it answered (${socket})`),

  notYours: (socket: string) => new ServiceError('NOT_YOURS', `${socket} belongs to another user`),

  /** @param fault why another user may have put the socket there: `/tmp/api-0-1234abcd belongs to user 1000` */
  untrustedFolder: (fault: string) =>
    new ServiceError(
      'UNTRUSTED_FOLDER',
      `Another user may have put a socket of their own in place of the supervisor's: ${fault}; set RUN_DIR to a folder of your own, at the start and for commands`,
    ),

  notASupervisor: (socket: string) =>
    new ServiceError(
      'NOT_A_SUPERVISOR',
      `What answers at ${socket} is not a supervisor of this service, or one of another version`,
    ),

  noWorker: (slot: number, slots: readonly number[]) =>
    new ServiceError(
      'NO_WORKER',
      `Slot ${slot} has no worker that can be asked; ${slots.length === 0 ? 'no slot has one' : `slots that have one: ${slots.join(', ')}`}`,
    ),

  /** @param hint the end of the sentence, with what may have been meant */
  unknownCommand: (word: string, hint: string) =>
    usage('UNKNOWN_COMMAND', `Unknown command "${word}"${hint} Try --help`),

  /** @param complaint `node:util`'s own words: an unknown option, or one with a value too many or too few */
  invalidOption: (complaint: string, hint: string) =>
    usage('INVALID_OPTION', `${complaint}${hint} Try --help`),

  optionOfOthers: (option: string, commands: readonly string[]) =>
    usage('OPTION_OF_OTHERS', `--${option} is an option of ${commands.join(' and ')} only`),

  /** @param why the terminal that there is does not do */
  noTerminal: (why: string) =>
    usage('NO_TERMINAL', `monit needs a terminal: ${why}; "status" prints the same once`),

  emptyOption: (option: string) => usage('EMPTY_OPTION', `--${option} takes a value, got nothing`),

  unexpectedArguments: (command: string, words: readonly string[]) =>
    usage('UNEXPECTED_ARGUMENTS', `${command} takes no further arguments, got "${words.join(' ')}"`),

  scaleToZero: () => usage('SCALE_TO_ZERO', 'scale 0 would stop the service; use stop'),

  invalidDiagnosis: (word: string | undefined, known: readonly string[]) =>
    usage(
      'INVALID_DIAGNOSIS',
      `diagnose takes one of ${known.join(', ')}, got ${word === undefined ? 'nothing' : `"${word}"`}`,
    ),

  invalidNumber: (option: string, min: number, max: number, got: string) =>
    usage('INVALID_NUMBER', `--${option} takes a whole number from ${min} to ${max}, got "${got}"`),

  invalidWorkerCount: (word: string | undefined) =>
    usage(
      'INVALID_WORKER_COUNT',
      `scale takes a number of workers from 1 to ${MAX_WORKERS}, got ${word === undefined ? 'nothing' : `"${word}"`}`,
    ),
} as const;

/** What tells services apart, as far as it is known. */
export interface ServiceName {
  readonly name: string | undefined;
  /** Absolute path of the app file. */
  readonly file: string | undefined;
}

const serviceText = ({ name, file }: ServiceName): string =>
  [...(name === undefined ? [] : [`"${name}"`]), ...(file === undefined ? [] : [file])].join(' of ');

/** An invalid value as a sentence: `PORT must be a whole number from 0 to 65535, got "abc"`. */
export function sentence({ name, expected, got }: InvalidValue): string {
  return `${name} must be ${expected}, got ${got === undefined ? 'nothing' : textOf(got)}`;
}

/** JSON where it says what the value is: it has no cycles and no BigInt, and takes `NaN` for `null`. */
function textOf(value: unknown): string {
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value) ?? inspect(value);
  } catch {
    return inspect(value, { breakLength: Infinity });
  }
}
