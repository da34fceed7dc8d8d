/**
 * Every failure this service can name: a stable code, one sentence that says what to do, and the exit code of
 * the process that meets it. Other programs read the exit codes, so their meanings never change.
 */
import { EXIT } from './protocol/exit-codes.js';

/** One value that cannot be used: where it stands, what it is, and what would be accepted. */
export interface Problem {
  /** Variable or field, as its reader knows it: `PORT`, `apps[0].kill_timeout`. */
  readonly name: string;
  /** What may stand there, as the end of the sentence "… must be". */
  readonly expected: string;
  /** What was found; `undefined` for nothing at all. */
  readonly got: unknown;
}

/** A failure with a name. Anything else that is thrown is a bug and exits with {@link EXIT.internal}. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;
  readonly exitCode: number;
  /** Everything that is wrong, where one failure stands for several. */
  readonly problems: readonly Problem[];

  constructor(
    code: string,
    message: string,
    exitCode: number = EXIT.internal,
    problems: readonly Problem[] = [],
  ) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
    this.problems = problems;
  }
}

export const errors = {
  invalidConfiguration: (problems: readonly Problem[]) =>
    new ServiceError(
      'INVALID_CONFIGURATION',
      `Invalid configuration: ${problems.map(sentence).join('; ')}`,
      EXIT.configuration,
      problems,
    ),

  portTaken: ({ port, host }: { readonly port: number; readonly host: string | undefined }, owner?: string) =>
    new ServiceError(
      'PORT_TAKEN',
      `Port ${port}${host === undefined ? '' : ` of ${host}`} is already in use${owner === undefined ? '' : ` by ${owner}`}; stop that process or set PORT`,
      EXIT.portTaken,
    ),

  notLookedUp: (host: string | undefined) =>
    new ServiceError(
      'HOST_NOT_LOOKED_UP',
      `HOST=${host} cannot be looked up at the moment; try again later, or set HOST to an address of this machine`,
    ),

  notBuilt: (script: string) =>
    new ServiceError(
      'NOT_BUILT',
      `${script} does not exist; run "yarn build" (or "npm run build") first`,
      EXIT.configuration,
    ),

  usage: (message: string) => new ServiceError('USAGE', message, EXIT.usage),
} as const;

/**
 * What keeps a service from listening, with its cure. No restart helps against a wrong address, name or port; a
 * resolver that does not answer may do so later.
 * @param ownerOf looked up only where the port is taken
 * @returns the error itself where the system's own word is all that is known
 */
export function unableToListen(
  error: NodeJS.ErrnoException,
  address: { readonly port: number; readonly host: string | undefined },
  ownerOf: (port: number) => string | undefined,
): Error {
  const { port, host } = address;
  switch (error.code) {
    case 'EADDRINUSE':
      return errors.portTaken(address, ownerOf(port));
    case 'EADDRNOTAVAIL':
      return errors.invalidConfiguration([
        { name: 'HOST', expected: 'an address of this machine, or not set for all of them', got: host },
      ]);
    case 'ENOTFOUND':
      return errors.invalidConfiguration([
        { name: 'HOST', expected: 'a name that can be looked up, or an address of this machine', got: host },
      ]);
    case 'EACCES':
      return errors.invalidConfiguration([
        { name: 'PORT', expected: 'a port that this user may open, such as one from 1024 on', got: port },
      ]);
    case 'EAI_AGAIN':
      return errors.notLookedUp(host);
    default:
      return error;
  }
}

/** A problem as a sentence: `PORT must be a whole number from 0 to 65535, got "abc"`. */
export function sentence({ name, expected, got }: Problem): string {
  return `${name} must be ${expected}, got ${got === undefined ? 'nothing' : JSON.stringify(got)}`;
}
