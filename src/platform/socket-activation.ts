/** Sockets that systemd has opened for this process: sd_listen_fds(3). */

const LISTEN_FDS_START = 3;

/** How many there are; the variables of another process, which a child has inherited, do not count. */
const countOf = ({ LISTEN_PID: pid, LISTEN_FDS: fds }: NodeJS.ProcessEnv): number =>
  pid === String(process.pid) ? Number(fds) : 0;

/** The descriptor of the first one, if there is any. */
export const activatedFd = (env: NodeJS.ProcessEnv): number | undefined =>
  countOf(env) >= 1 ? LISTEN_FDS_START : undefined;

/** Whether this is the descriptor of one of them. */
export const isActivated = (fd: unknown, env: NodeJS.ProcessEnv = process.env): boolean =>
  typeof fd === 'number' && fd >= LISTEN_FDS_START && fd < LISTEN_FDS_START + countOf(env);
