/** Shows a real service on the live page of a test's own server: what it looks at is what the live views look at. */
import { followLog } from '../../src/live/follow-log.js';
import type { Lifecycle, Moment } from '../../src/live/messages.js';
import { watchService } from '../../src/live/watch-service.js';
import type { EventList } from '../../src/supervisor/report/events.js';
import { pageServer, type PageServer } from './live-page.js';
import { APP_FILE } from './processes.js';

/** How often the service is looked at, in ms. */
const LOOK_MS = 500;

export interface LiveView extends PageServer {
  end(): Promise<void>;
}

/** @param runDir of a service under the native supervisor; without it, the service of this environment's PM2 is shown */
export async function liveView(runDir?: string): Promise<LiveView> {
  if (runDir !== undefined) process.env['RUN_DIR'] = runDir;
  const service = await watchService({
    command: 'status',
    file: APP_FILE,
    isFileNamed: false,
    only: undefined,
    envName: undefined,
    watch: false,
    json: false,
    instances: undefined,
    diagnosis: undefined,
  });
  const server = await pageServer();
  const moments: Moment[] = [];
  const events: Lifecycle[] = [];
  let last = 0;
  let looking: Promise<void> = Promise.resolve();
  const stopLog = followLog(() => service.folders(), { line: line => server.send('log', line) });

  async function look(): Promise<void> {
    const moment = await service.look();
    moments.push(moment);
    const answer = await service.client?.get(`/events?after=${last}`);
    const news = (answer?.body as EventList | undefined) ?? { last, events: [] };
    last = news.last;
    events.push(...news.events);
    server.history = { moments: [...moments], lifecycle: [...events] };
    server.send('moment', moment);
    for (const event of news.events) server.send('lifecycle', event);
  }

  await look();
  const timer = setInterval(() => {
    looking = looking.then(look).catch(() => clearInterval(timer)); // the service has ended
  }, LOOK_MS);
  return Object.assign(server, {
    async end() {
      clearInterval(timer);
      stopLog();
      await looking;
      delete process.env['RUN_DIR'];
      await server.close();
    },
  });
}
