/** Finds the workers of a service that PM2 runs. PM2 is not asked: they answer themselves. */
import { readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { ServiceError } from '../errors.js';
import { askWorkers, type Asked } from '../observability/ask-workers.js';
import { serviceNameOf } from './client.js';
import type { CommandLine } from './command-line.js';

/** The workers of a service under PM2, also those that do not answer. */
export interface Pm2Workers {
  readonly name: string;
  /** Pid of PM2's daemon. */
  readonly daemon: number;
  readonly asked: readonly Asked[];
}

/**
 * The service of that name which the PM2 of this shell runs; where the shell names none (`PM2_HOME`), otherwise the one
 * that another PM2 of this user runs from the folder of the app file.
 */
export async function pm2Workers(line: CommandLine): Promise<Pm2Workers | undefined> {
  const name = await serviceNameOf(line);
  const asked = await askWorkers();
  const answered = asked.filter(({ snapshot }) => {
    const { service } = snapshot ?? {};
    return service?.supervisedBy === 'pm2' && (name === undefined || service.name === name);
  });
  const home = process.env['PM2_HOME'];
  const own = daemonPid(home || join(homedir(), '.pm2'));
  const found =
    answered.find(({ service }) => service === own) ??
    (home
      ? undefined
      : answered.find(({ snapshot }) => isBelow(snapshot?.service.script ?? '', dirname(line.file))));
  const itsName = found?.snapshot?.service.name;
  if (found === undefined || itsName === undefined) return undefined;
  const daemon = found.service;
  // A service has a folder for each port; with `increment_var` its workers have one each.
  const folders = new Set(
    answered
      .filter(each => each.service === daemon && each.snapshot?.service.name === itsName)
      .map(({ folder }) => folder),
  );
  return { name: itsName, daemon, asked: asked.filter(({ folder }) => folders.has(folder)) };
}

/**
 * The workers under PM2 where the native supervisor runs nothing.
 * @param error why the native supervisor could not be asked
 * @throws that error, unless it is NO_SUPERVISOR and PM2 runs the service
 */
export async function pm2WorkersInstead(error: unknown, line: CommandLine): Promise<Pm2Workers> {
  const isNotFound = error instanceof ServiceError && error.code === 'NO_SUPERVISOR';
  const found = isNotFound ? await pm2Workers(line) : undefined;
  if (found === undefined) throw error;
  return found;
}

/** PM2 writes it beside its sockets. */
function daemonPid(home: string): number | undefined {
  try {
    return Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
  } catch {
    return undefined;
  }
}

function isBelow(path: string, folder: string): boolean {
  try {
    return realpathSync(path).startsWith(`${realpathSync(folder)}${sep}`);
  } catch {
    return false;
  }
}
