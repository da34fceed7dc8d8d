/** Whether the service outlives this process: what waits for it may take its end for the end of the service. */
import { readFileSync } from 'node:fs';

export interface Standing {
  readonly pid: number;
  /** What started this process, where that has not ended since. */
  readonly parent: { readonly pid: number; readonly name: string | undefined } | undefined;
  /** systemd learns from us which process is the main one. */
  readonly isNotified: boolean;
}

/** What init systems that run a machine call themselves; the first process of a container has another name. */
const INITS = ['systemd', 'init', 'launchd'];

/** Why another process cannot take this one's place; `undefined` if it can. */
export function whyIrreplaceable({ pid, parent, isNotified }: Standing): string | undefined {
  const isContainer =
    pid === 1 || (parent?.pid === 1 && parent.name !== undefined && !INITS.includes(parent.name));
  if (isContainer)
    return 'the supervisor is the main process of a container, which ends with it; start a container of the new image instead';
  if (isNotified || parent === undefined) return undefined;
  const name = parent.name === undefined ? '' : ` (${parent.name})`;
  return `pid ${parent.pid}${name} started the supervisor and ends the service when it exits; run it under systemd with Type=notify, or restart it`;
}

/** @param firstParent the parent of this process at its start */
export function standingOf(firstParent: number, isNotified: boolean): Standing {
  const { pid, ppid } = process;
  return { pid, isNotified, parent: ppid === firstParent ? { pid: ppid, name: nameOf(ppid) } : undefined };
}

function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined; // no Linux
  }
}
