/** `monit`: the service and its workers on the whole terminal, until the view is left. */
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { errors } from '../../errors.js';
import { followLog } from '../../live/follow-log.js';
import type { LogLine } from '../../live/messages.js';
import { watchService, type WatchedService } from './watch-service.js';
import type { ActionOutcome } from '../../supervisor/action.js';
import { EXIT } from '../../protocol/exit-codes.js';
import type { CommandLine } from '../command-line.js';
import { frame } from './frame.js';
import { coloured, plain } from './paint.js';
import { GONE_EXIT, openScreen, sizeNow, type Screen } from './screen.js';
import { firstState, type Effect, type Event, type Pending } from './state.js';
import { update } from './update.js';

/** How often the service is looked at, in ms. */
const LOOK_MS = 1_000;

/** A service that is gone is searched for elsewhere so often, in ms. */
const SEARCH_MS = 5_000;

/** Lines of the log come together after so long at most, in ms. */
const LOG_MS = 200;

/** @throws ServiceError NO_TERMINAL, or why the service cannot be watched; the terminal has not been touched then */
export async function monit(line: CommandLine): Promise<void> {
  if (!isatty(0) || !isatty(1))
    throw errors.noTerminal('standard input or standard output is not a terminal');
  if (process.env['TERM'] === 'dumb') throw errors.noTerminal('TERM=dumb has no cursor to move');
  const service = await watchService(line);
  const first = await service.look();
  const watched = watchAgain(service, { ...line, only: first.app, isQuiet: true });
  const paint = process.stdout.hasColors() ? coloured : plain;
  let state = firstState(sizeNow(), first);
  let isDue = false;

  function dispatch(event: Event): void {
    const step = update(state, event);
    ({ state } = step);
    if (step.effect !== undefined) perform(step.effect);
    if (isDue) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      screen.draw(frame(state, paint));
    });
  }

  function perform(effect: Effect): void {
    if (effect.do === 'quit') leave(screen, EXIT.ok);
    else if (effect.do === 'suspend') screen.suspend();
    else void watched.order(effect).then(outcome => dispatch({ type: 'outcome', id: effect.id, outcome }));
  }

  const screen = openScreen({
    key: key => dispatch({ type: 'key', key }),
    resize: size => dispatch({ type: 'resize', size }),
    gone: () => leave(screen, GONE_EXIT),
  });
  screen.draw(frame(state, paint));
  followLog(watched.folders, { line: inBatches(lines => dispatch({ type: 'log', lines })) });
  for (;;) {
    await delay(LOOK_MS - (Date.now() % LOOK_MS));
    dispatch(await watched.look());
  }
}

/** Orders that are not answered yet go on in the service. */
function leave(screen: Screen, code: number): never {
  screen.close();
  process.exit(code);
}

interface Watched {
  look(): Promise<Event>;
  order(pending: Pending): Promise<ActionOutcome>;
  readonly folders: () => readonly string[];
}

/** A service that may go and come back, with another supervisor then. */
function watchAgain(first: WatchedService, line: CommandLine): Watched {
  const { envName: env } = line;
  let service = first;
  let isLost = false;
  let searched = 0;

  /** A service that is back may be at another socket, which the app file names, or under PM2 now. */
  async function findAgain(): Promise<void> {
    try {
      // Where it was: cheap. The search reads the app file, in a process of its own.
      if (service.client === undefined) await service.look();
      else await service.client.get('/status');
      service = await watchService(line);
    } catch (error) {
      if (Date.now() - searched < SEARCH_MS) throw error;
      searched = Date.now();
      service = await watchService(line).catch(() => Promise.reject(error));
    }
  }

  async function look(): Promise<Event> {
    try {
      if (isLost) await findAgain();
      const moment = await service.look();
      isLost = false;
      return { type: 'moment', moment };
    } catch (error) {
      isLost = true;
      return { type: 'lost', at: Date.now(), reason: (error as Error).message };
    }
  }

  return {
    look,
    folders: () => service.folders(),
    async order({ order: { action, ...body } }) {
      const sent = action === 'reload' ? { env } : body;
      try {
        const answer = await service.client?.post(`/${action}`, sent);
        return answer?.body as ActionOutcome;
      } catch (error) {
        return { ok: false, reason: (error as Error).message };
      }
    },
  };
}

function inBatches(take: (lines: readonly LogLine[]) => void): (line: LogLine) => void {
  let waiting: LogLine[] = [];
  return line => {
    waiting.push(line);
    if (waiting.length > 1) return;
    setTimeout(() => {
      const lines = waiting;
      waiting = [];
      take(lines);
    }, LOG_MS);
  };
}
