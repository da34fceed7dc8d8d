/** Where the observer threads of one service find each other: a folder of this user's with a socket for each worker. */
import { readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { faultOf, makePrivateFolder } from '../platform/private-folder.js';
import { isAlive } from '../platform/process-tree.js';
import { fileFailureText, temporaryFolderCure } from '../platform/system-errors.js';
import { MAX_SOCKET_PATH } from '../protocol/limits.js';

const SOCKET = /^worker-(\d+)-(\d+)\.sock$/;
const TOTALS = 'totals.json';

/** What the live page has shown (`live/history-file.ts`). */
export const HISTORY = 'history.ndjson';

/** Names the worker that is being diagnosed (`diagnostics/only-one.ts`). */
export const DIAGNOSING = 'diagnosing';

/** A worker's socket. */
export interface Sibling {
  readonly slot: number;
  readonly pid: number;
  readonly path: string;
}

const prefix = (): string => `cabe-observer-${process.getuid?.() ?? 0}-`;

/** @param service number of the service; under PM2 the pid of its daemon */
export const serviceFolder = (service: number, port: number): string =>
  join(tmpdir(), `${prefix()}${service}-${port}`);

/** No pid is larger: PID_MAX_LIMIT of Linux, proc(5). */
const MAX_PID = 2 ** 22;

/**
 * The number of a service that starts: the pid of its supervisor. It keeps it over upgrades, so a service whose first
 * supervisor is gone may still have the number that is this pid now. What a service that was killed has left behind, in a
 * container that was restarted, is removed.
 */
export function newServiceNumber(pid: number): number {
  let service = pid;
  while (isInUse(service)) service += MAX_PID;
  removeServiceFolders(service);
  return service;
}

const isInUse = (service: number): boolean =>
  serviceFolders(service).some(folder => siblingsIn(folder).some(({ pid }) => isAlive(pid)));

/**
 * The folders of services that run, or have died without removing theirs; only those in which no other user could put a
 * socket.
 * @param service only those of this one; its workers may have ports of their own (`increment_var`)
 */
export function serviceFolders(service?: number): string[] {
  const beginning = service === undefined ? prefix() : `${prefix()}${service}-`;
  return entriesOf(tmpdir())
    .filter(name => name.startsWith(beginning))
    .map(name => join(tmpdir(), name))
    .filter(folder => faultOf(folder, 'closed') === undefined);
}

/** @param folder one of {@link serviceFolders} */
export const serviceIn = (folder: string): number => Number(folder.split('-').at(-2));

/** Removes what workers that could not leave in order have left behind. */
export function removeServiceFolders(service: number): void {
  try {
    for (const folder of serviceFolders(service)) rmSync(folder, { recursive: true, force: true });
  } catch {
    // a service that has ended well does not fail because of that
  }
}

/**
 * @param socket that is to be made there
 * @throws Error if another user could put a socket there, if the socket's path would be too long, or the system's error
 */
export function openServiceFolder(folder: string, socket: string): void {
  const bytes = Buffer.byteLength(socket);
  if (bytes > MAX_SOCKET_PATH)
    throw new Error(
      `the path of ${socket} has ${bytes} bytes, a socket's may have ${MAX_SOCKET_PATH}; set TMPDIR to a shorter path`,
    );
  makePrivateFolder(folder, 'closed');
}

/** Why the folder, or a file in it, cannot be made or written, with the cure. */
export const serviceFolderFailure = (error: Error, folder: string): string =>
  fileFailureText(error, temporaryFolderCure(dirname(folder)));

export const socketOf = (folder: string, slot: number, pid: number): string =>
  join(folder, `worker-${slot}-${pid}.sock`);

export function siblingsIn(folder: string): Sibling[] {
  return entriesOf(folder).flatMap(name => {
    const [, slot, pid] = SOCKET.exec(name) ?? [];
    return pid === undefined ? [] : [{ slot: Number(slot), pid: Number(pid), path: join(folder, name) }];
  });
}

/** The socket of a worker that starts refuses connections as well, until it listens: that one stays. */
export function removeDeadSocket({ pid, path }: Sibling): void {
  if (isAlive(pid)) return;
  try {
    rmSync(path, { force: true });
  } catch {
    // A file system that has become read-only: it is found dead again.
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The sums that the thread before this one has exposed; nothing at the start of a service. */
export function readTotals(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, TOTALS), 'utf8');
  } catch {
    return undefined;
  }
}

export function writeTotals(folder: string, text: string): void {
  const beside = join(folder, `${TOTALS}.${process.pid}`);
  try {
    writeFileSync(beside, text, { mode: 0o600 });
    renameSync(beside, join(folder, TOTALS));
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/**
 * Removes the socket of a worker that exits in order. The socket of one that crashed stays, and shows that it is missing.
 * @param isStopping the service stops: the last one takes the folder away
 */
export function leaveServiceFolder(folder: string, slot: number, pid: number, isStopping: boolean): void {
  try {
    rmSync(socketOf(folder, slot, pid), { force: true });
    if (!isStopping || siblingsIn(folder).length > 0) return;
    for (const name of [TOTALS, HISTORY, DIAGNOSING]) rmSync(join(folder, name), { force: true });
    rmdirSync(folder);
  } catch {
    // another worker has come meanwhile, or has taken it away
  }
}
