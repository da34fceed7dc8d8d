/**
 * `yarn hardening`: what an adversary, an unlucky operator and a broken app file can do to the built product, tried with
 * seeds. Each part writes its section of `docs/reliability.md` with `--write`.
 */

export interface Part {
  /** One line for `--help`. */
  readonly summary: string;
  /** @returns whether everything held */
  run(argv: readonly string[]): Promise<boolean>;
}

/** Each part is loaded by its own command alone. */
const PARTS: Readonly<Record<string, { readonly summary: string; load(): Promise<Part> }>> = {
  fuzz: {
    summary: 'random input for everything that reads something from outside',
    load: async () => (await import('./fuzz/fuzz.js')).part,
  },
  lives: {
    summary: "a million random lives of the supervisor's core",
    load: async () => (await import('./lives.js')).part,
  },
  faults: {
    summary: 'faults of the machine, one after the other, with what clients saw',
    load: async () => (await import('./faults/main.js')).part,
  },
};

const usage = (): string =>
  ['Usage: yarn hardening PART [OPTIONS] (PART --help for its options)', '']
    .concat(Object.entries(PARTS).map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`))
    .join('\n');

async function main([name, ...rest]: readonly string[]): Promise<number> {
  const part = PARTS[name ?? ''];
  if (part === undefined) {
    process.stderr.write(`${usage()}\n`);
    return name === '--help' ? 0 : 2;
  }
  return (await (await part.load()).run(rest)) ? 0 : 1;
}

void main(process.argv.slice(2)).then(code => process.exit(code));
