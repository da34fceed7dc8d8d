/** `yarn bench [quick] [section…] [--node PATH]…`, `yarn bench report`, `yarn bench guard`. Pure. */

export interface CommandLine {
  readonly action: 'measure' | 'report' | 'guard';
  readonly quick: boolean;
  readonly sections: readonly string[];
  /** Node binaries; none means the one that runs this. */
  readonly nodes: readonly string[];
}

/** @throws Error saying what is not understood, and what would be */
export function readCommandLine(args: readonly string[], known: readonly string[]): CommandLine {
  const nodes: string[] = [];
  const words: string[] = [];
  args.forEach((word, index) => {
    const isPath = args[index - 1] === '--node';
    const path = isPath ? word : /^--node=(.+)$/.exec(word)?.[1];
    if (path !== undefined) nodes.push(path);
    else if (word !== '--node') words.push(word);
  });
  const actions = ['report', 'guard'] as const;
  const unknown = words.filter(word => word !== 'quick' && ![...actions, ...known].includes(word));
  if (unknown.length > 0 || args.at(-1) === '--node') {
    throw new Error(
      `Not understood: ${unknown.join(', ') || '--node without a path'}\n` +
        'yarn bench [quick] [section…] [--node PATH]…   measures; quick is for a look only\n' +
        'yarn bench report                              writes docs/performance.md from bench/results\n' +
        'yarn bench guard [--node PATH]                 fails if a request costs far more than it should\n' +
        `sections: ${known.join(', ')}`,
    );
  }
  const sections = known.filter(name => words.includes(name));
  return {
    action: actions.find(name => words.includes(name)) ?? 'measure',
    quick: words.includes('quick'),
    sections: sections.length > 0 ? sections : known,
    nodes,
  };
}
