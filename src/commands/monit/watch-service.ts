/** A running service as `monit` watches it: looked at again and again, natively and under PM2. */
import { reach, type Client } from '../client.js';
import type { CommandLine } from '../command-line.js';
import { pm2Workers, pm2WorkersInstead, type Pm2Workers } from '../pm2-workers.js';
import { completed, type ShownStatus, type ShownWorker } from '../../live/shown-status.js';
import { askSiblings, type Asked } from '../../observability/ask-workers.js';
import { serviceFolders, siblingsIn } from '../../observability/service-folder.js';
import type { Moment } from '../../live/messages.js';
import { momentOf, type Look } from '../../live/moment.js';
import { statusOfWorkers } from '../../live/worker-status.js';

export interface WatchedService {
  readonly supervisedBy: 'native' | 'pm2';
  /** To the native supervisor; PM2 is given orders by its own commands. */
  readonly client: Client | undefined;
  /** Where its workers have their sockets: for `followLog`. */
  folders(): readonly string[];
  /**
   * The service now; rates of routes are those since the look before.
   * @throws ServiceError if its supervisor cannot be reached any more
   */
  look(): Promise<Moment>;
}

/** @throws ServiceError NO_SUPERVISOR if neither the native supervisor nor PM2 runs this service */
export async function watchService(line: CommandLine): Promise<WatchedService> {
  try {
    const { client, status } = await reach(line);
    return natively(client, status.workers ?? []);
  } catch (error) {
    const found = await pm2WorkersInstead(error, line);
    // By its name: the app file is not read again.
    return underPm2({ ...line, only: found.name }, found, error);
  }
}

/** @param workers those of the first look */
function natively(client: Client, workers: readonly Pick<ShownWorker, 'pid'>[]): WatchedService {
  let folders = foldersOf(workers);
  const look = async (): Promise<Look> => {
    const status = completed((await client.get('/status')).body as Partial<ShownStatus>);
    const found = foldersOf(status.workers);
    // Where no worker lives, the next ones will come to the same folders.
    if (found.length > 0) folders = found;
    const asked = (await Promise.all(folders.map(askSiblings))).flat();
    return { at: Date.now(), app: status.app, supervisedBy: 'native', status, snapshots: answers(asked) };
  };
  return watched({ supervisedBy: 'native', client, folders: () => folders }, look);
}

/** By their workers: after an upgrade they are not named after the supervisor that runs now. */
function foldersOf(workers: readonly Pick<ShownWorker, 'pid'>[]): readonly string[] {
  const pids = new Set(workers.map(({ pid }) => pid));
  return serviceFolders().filter(folder => siblingsIn(folder).some(({ pid }) => pids.has(pid)));
}

function underPm2(line: CommandLine, first: Pm2Workers, gone: unknown): WatchedService {
  let { asked: workers } = first;
  const look = async (): Promise<Look> => {
    const found = await pm2Workers(line);
    if (found === undefined) throw gone;
    const { name: app, asked } = found;
    workers = asked;
    return {
      at: Date.now(),
      app,
      supervisedBy: 'pm2',
      status: statusOfWorkers(asked),
      snapshots: answers(asked),
    };
  };
  // The daemon may run other services as well, with folders of their own.
  const folders = (): string[] => [...new Set(workers.map(({ folder }) => folder))];
  return watched({ supervisedBy: 'pm2', client: undefined, folders }, look);
}

const answers = (asked: readonly Asked[]): Look['snapshots'] =>
  asked.flatMap(({ snapshot }) => snapshot ?? []);

function watched(service: Omit<WatchedService, 'look'>, look: () => Promise<Look>): WatchedService {
  let before: Look | undefined;
  return {
    ...service,
    async look() {
      const now = await look();
      const moment = momentOf(now, before);
      before = now;
      return moment;
    },
  };
}
