/** `yarn bench [quick] [section…] [--node PATH]…`, `yarn bench report [--check]`, `yarn bench guard`. Pure. */

export interface CommandLine {
  readonly action: 'measure' | 'report' | 'guard';
  readonly quick: boolean;
  /** With `report`: only check whether it agrees with the results. */
  readonly check: boolean;
  readonly sections: readonly string[];
  /** Node binaries; empty means the one that runs this program. */
  readonly nodes: readonly string[];
}

/** @throws Error with the unknown words and the usage */
export function readCommandLine(args: readonly string[], known: readonly string[]): CommandLine {
  const nodes: string[] = [];
  const words: string[] = [];
  args.forEach((word, index) => {
    const isPath = args[index - 1] === '--node';
    const path = isPath ? word : /^--node=(.+)$/.exec(word)?.[1];
    if (path !== undefined) nodes.push(path);
    else if (!['--node', '--check'].includes(word)) words.push(word);
  });
  const actions = ['report', 'guard'] as const;
  const unknown = words.filter(word => word !== 'quick' && ![...actions, ...known].includes(word));
  const check = args.includes('--check');
  if (check && !words.includes('report')) unknown.push('--check without report');
  if (args.at(-1) === '--node') unknown.push('--node without a path');
  if (unknown.length > 0) {
    throw new Error(
      `Not understood: ${unknown.join(', ')}\n` +
        'yarn bench [quick] [section…] [--node PATH]…   measures and writes the report; quick writes none\n' +
        'yarn bench report [--check]                    writes docs/performance.md from bench/results, or\n' +
        '                                               fails if it does not agree with them\n' +
        'yarn bench guard [--node PATH]                 fails if a request takes far too much CPU time\n' +
        `sections: ${known.join(', ')}`,
    );
  }
  const sections = known.filter(name => words.includes(name));
  return {
    action: actions.find(name => words.includes(name)) ?? 'measure',
    quick: words.includes('quick'),
    check,
    sections: sections.length > 0 ? sections : known,
    nodes,
  };
}
