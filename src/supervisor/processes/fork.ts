import cluster, { type ClusterSettings, type Worker } from 'node:cluster';
import type { App } from '../app-file/load.js';

/**
 * Forks a process of this app with exactly this environment.
 * @param heartbeatFd inherited as the next descriptor after the channel (`protocol/heartbeat-records.ts`)
 * @throws Error where the system refuses at once (E2BIG, ENOMEM, ENOTDIR); other refusals (EAGAIN, EMFILE, ENOENT) come
 *   as the worker's `error`
 */
export function forkProcess(
  app: App,
  env: Readonly<Record<string, string>>,
  heartbeatFd: number | undefined,
): Worker {
  const settings: ClusterSettings = {
    exec: app.script,
    args: [...app.args],
    cwd: app.cwd,
    execArgv: [
      ...withoutEnvFiles(process.execArgv),
      // First, so that `node_args` may switch it off.
      ...(app.sourceMaps ? ['--enable-source-maps'] : []),
      ...app.nodeArgs,
    ],
    stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...(heartbeatFd === undefined ? [] : [heartbeatFd])],
  };
  // What is not set would stay as it was for the fork before. Node drops all other groups with the user (setgroups(2)).
  cluster.setupPrimary({ ...settings, ...(app.runAs ?? AS_WE_ARE) });
  return cluster.fork({ ...unset(process.env), ...env });
}

/**
 * Node's own options, for workers: the supervisor has read its `--env-file`, and workers, which get what was in it, would
 * look for a relative one in another folder.
 */
export function withoutEnvFiles(options: readonly string[]): string[] {
  const isValue = (index: number): boolean => /^--env-file(?:-if-exists)?$/.test(options[index - 1] ?? '');
  return options.filter(
    (option, index) => !/^--env-file(?:-if-exists)?(?:=|$)/.test(option) && !isValue(index),
  );
}

/** `cluster.fork` adds the supervisor's environment to the given one, unless it says otherwise. */
const unset = (env: NodeJS.ProcessEnv): Record<string, undefined> =>
  Object.fromEntries(Object.keys(env).map(name => [name, undefined]));

const AS_WE_ARE = { uid: undefined, gid: undefined } as unknown as ClusterSettings;
