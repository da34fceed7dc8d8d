/** The environment of an app as PM2 resolves it, the later ones over the others: shell, `env`, `deploy.NAME.env`, `env_NAME`. */
import type { InvalidValue } from '../../errors.js';
import { OWN_VARIABLES } from '../../protocol/messages.js';
import { isSet } from './written.js';
import { environment, isWhole, WITHOUT_NUL, type EnvironmentFilter } from './fields.js';

export interface EnvironmentRequest {
  readonly entry: Readonly<Record<string, unknown>>;
  readonly filter: EnvironmentFilter;
  /** `port`, PM2's short form of PORT: it overrides `env`, and `env_NAME` overrides it (Common.js:123). */
  readonly port: number | undefined;
  /** Variables of the user that workers run as, in place of the shell's. */
  readonly user?: Readonly<Record<string, string>>;
  readonly envName: string | undefined;
  readonly shell: NodeJS.ProcessEnv;
  /** `deploy.NAME.env` of the file: PM2 means to put it below all others, and puts it over `env` (Common.js:637-652). */
  readonly deployed: unknown;
}

/** Variables that node:cluster, systemd, PM2 and we set for one process; its children must not inherit them. */
const OWN = [
  'NODE_UNIQUE_ID',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  ...OWN_VARIABLES,
];

/** What PM2 says of one of its processes (`safeExtend` in its Common.js); it would be untrue of ours. */
const OF_PM2 = /^(pm_|axm_|name$|namespace$|instances$|exec_mode$|restart_time$|unstable_restarts$|status$)/;

export function resolveEnvironment(
  { entry, filter, port, user, envName, shell, deployed }: EnvironmentRequest,
  problems: InvalidValue[],
): Record<string, string> {
  const named = `env_${envName ?? ''}`;
  const layers = [
    user,
    layer('env', entry['env'], problems),
    port === undefined ? {} : { PORT: String(port) },
    layer(`deploy.${envName ?? ''}.env`, deployed, problems),
    envName === undefined ? {} : layer(named, entry[named], problems),
  ];
  const isOthers = (name: string): boolean =>
    OWN.includes(name) || (shell['pm_id'] !== undefined && OF_PM2.test(name));
  const inherited = Object.entries(shell).filter(
    ([name, value]) => value !== undefined && !isOthers(name) && !isFiltered(name, filter),
  );
  return Object.assign(Object.fromEntries(inherited) as Record<string, string>, ...layers);
}

function layer(name: string, written: unknown, problems: InvalidValue[]): Readonly<Record<string, string>> {
  if (!isSet(written)) return {};
  const parsed = environment(written);
  if ('expected' in parsed) {
    problems.push({ name, expected: parsed.expected, got: written });
    return {};
  }
  for (const [key, content] of Object.entries(parsed.value))
    if (!isWhole(key) || !isWhole(content))
      problems.push({ name: `${name}.${key}`, expected: WITHOUT_NUL, got: content });
  return parsed.value;
}

/** What a program cannot run without, kept when `filter_env: true` keeps everything else away. */
const ESSENTIAL = ['PATH', 'HOME', 'USER', 'SHELL', 'LANG', 'TZ', 'TMPDIR'];

/** A list keeps away every name that contains one of its entries, a text only that name (Common.js:154-185). */
function isFiltered(name: string, filter: EnvironmentFilter): boolean {
  if (typeof filter === 'boolean') return filter && !ESSENTIAL.includes(name);
  return typeof filter === 'string' ? name === filter : filter.some(part => name.includes(part));
}
