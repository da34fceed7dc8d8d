/** The outcomes of faults as a table of Markdown. */
import type { Outcome } from './trial.js';

export interface Skipped {
  readonly what: string;
  readonly under: string;
  readonly why: string;
}

const HEAD = ['fault', 'under', 'sent', 'failed', 'slowest', 'logged', 'healed'];

export function table(outcomes: readonly (Outcome | Skipped)[]): string {
  const rows = outcomes.map(one => ('why' in one ? skippedRow(one) : row(one)));
  return [HEAD, HEAD.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}

const row = ({ fault, host, sent, failures, slowestMs, line, healedMs, problems }: Outcome): string[] => [
  fault.what,
  host,
  String(sent),
  failedText(failures, fault.mayFail?.what ?? ''),
  duration(slowestMs),
  line === undefined ? 'nothing' : code(line),
  (healedMs === undefined ? '**no**' : `${duration(healedMs)}: ${fault.heals}`) +
    (problems.length > 0 ? ` (${problems.length} expectations not held)` : ''),
];

const skippedRow = ({ what, under, why }: Skipped): string[] => [
  what,
  under,
  '',
  '',
  '',
  '',
  `not tried: ${escaped(why)}`,
];

function failedText(failures: Outcome['failures'], excuse: string): string {
  const kinds = Object.entries(failures).map(([kind, count]) => `${count} ${kind}`);
  return kinds.length === 0 ? '0' : `${kinds.join(', ')} (${excuse})`;
}

export const duration = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;

/** The line with `N` for pids, cut where it gets long, so that two runs give the same text. */
function code(line: string): string {
  const text = line.replaceAll(/\b(Worker|worker|pid|slot) \d+/g, '$1 N').replaceAll(/\S*\/cabe-\w{6}/g, '…');
  return `\`${escaped(text.length > 160 ? `${text.slice(0, 159)}…` : text)}\``;
}

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('`', "'");
