/**
 * `yarn hardening`: what an adversary, an unlucky operator and a broken app file can do to the built product, tried with
 * seeds. Each part writes its section of `docs/reliability.md` with `--write`.
 */

interface Part {
  /** One line for `--help`. */
  readonly summary: string;
  /** Loads the part, which no other command needs. @returns whether everything held */
  run(argv: readonly string[]): Promise<boolean>;
}

const PARTS: Readonly<Record<string, Part>> = {
  fuzz: {
    summary:
      'random requests to HTTP, control socket, management port and workers, app files, messages of a worker',
    run: async argv => (await import('./fuzz/fuzz.js')).run(argv),
  },
  lives: {
    summary: "a million random lives of the supervisor's core",
    run: async argv => (await import('./lives.js')).run(argv),
  },
  faults: {
    summary: 'faults of the machine, one after the other, with what clients saw',
    run: async argv => (await import('./faults/main.js')).run(argv),
  },
};

const usage = (): string =>
  ['Usage: yarn hardening PART [OPTIONS] (PART --help for its options)', '']
    .concat(Object.entries(PARTS).map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`))
    .join('\n');

async function main([name = '', ...rest]: readonly string[]): Promise<number> {
  const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (part === undefined) {
    const isHelp = name === '--help' || name === '-h';
    (isHelp ? process.stdout : process.stderr).write(`${usage()}\n`);
    return isHelp ? 0 : 2;
  }
  try {
    return (await part.run(rest)) ? 0 : 1;
  } catch (error) {
    if (!isOfParseArgs(error)) throw error;
    process.stderr.write(`${error.message}; yarn hardening ${name} --help has the options\n`);
    return 2;
  }
}

/** An unknown option, or one without its value. */
const isOfParseArgs = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');

void main(process.argv.slice(2)).then(code => process.exit(code));
