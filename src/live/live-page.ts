/** The live page on the management port: its files, the stream that it shows, and its orders. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { answerJson } from '../observability/json-http.js';
import { act, ACTIONS, type ActionNeeds } from './actions.js';
import { followLog } from './follow-log.js';
import {
  eventLine,
  historyJson,
  keptEvent,
  keptMoment,
  momentLine,
  withEvent,
  withMoment,
  type History,
} from './history.js';
import { openHistory } from './history-file.js';
import { createLogBatches } from './log-batches.js';
import { createLooks } from './look-at-service.js';
import type { Lifecycle, LogLine, Moment } from './messages.js';
import { momentOf, type Look } from './moment.js';
import { PAGE_HEADERS, readPage, type PageFile } from './page-files.js';
import { createViewers, MAX_VIEWERS, message } from './viewers.js';

/** How often the service is looked at, in ms: with a viewer, and for the history alone. */
const WATCHED_MS = 1_000;
const UNWATCHED_MS = 5_000;

/** So many sent events are remembered: more than a supervisor can report again (`supervisor/report/events.ts`). */
const MAX_SENT = 1_000;

export interface LivePageNeeds extends ActionNeeds {
  /** Where the page's files are: `dist/live/page`. */
  readonly pageFolder: string;
  /** MANAGEMENT_HOST, an address or a name. */
  readonly host: string;
  /** The address that it means: where the port listens. */
  readonly address: string;
}

export interface LivePage {
  /** @returns whether the request was one for the page */
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Looks at the service from now on: the history is there before the first viewer. */
export function openLivePage(needs: LivePageNeeds): LivePage {
  const stream = createStream(needs);
  let files: ReadonlyMap<string, PageFile> | undefined;

  /** Without them there is no page; an error here would end the thread that watches the event loop. */
  function pageFiles(): ReadonlyMap<string, PageFile> {
    try {
      return (files ??= readPage(needs.pageFolder));
    } catch (error) {
      needs.log('warn', `The live page cannot be served; "yarn build" makes it: ${(error as Error).message}`);
      return (files = new Map());
    }
  }

  function answerFile(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    const file = pageFiles().get(path);
    if (file === undefined) return false;
    response
      .writeHead(200, { ...PAGE_HEADERS, 'Content-Type': file.type, 'Content-Length': file.body.length })
      .end(request.method === 'HEAD' ? undefined : file.body);
    return true;
  }

  return {
    answer(request, response) {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const isAction = ACTIONS.some(action => action === path);
      if (!isAction && path !== '/' && path !== '/live' && !path.startsWith('/live/')) return false;
      const refusal = refusalOf(request, path, isAction, needs);
      if (refusal !== undefined) answerJson(response, ...refusal);
      else if (isAction) answerAction(needs, path, request, response);
      else if (path === '/live') stream.add(response);
      else return answerFile(path, request, response);
      return true;
    },
  };
}

/** An answer that refuses: status, body and headers. */
type Refusal = readonly [status: number, body: { readonly reason: string }, headers?: Record<string, string>];

/** Orders have rules of their own (`actions.ts`). */
function refusalOf(
  { headers, method }: IncomingMessage,
  path: string,
  isAction: boolean,
  needs: LivePageNeeds,
): Refusal | undefined {
  const host = headers.host ?? '';
  if (!isExpectedHost(host, needs)) {
    const reason = `the page is not served for the host ${JSON.stringify(host)}; open it by an address of this machine`;
    return [403, { reason }];
  }
  const allowed = path === '/live' ? ['GET'] : ['GET', 'HEAD'];
  if (isAction || allowed.includes(method ?? '')) return undefined;
  return [405, { reason: `${path} takes GET` }, { Allow: allowed.join(', ') }];
}

function answerAction(
  needs: ActionNeeds,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  act(needs, path, request, response).catch((error: Error) => {
    if (response.headersSent) response.destroy();
    else answerJson(response, 500, { reason: error.message });
  });
}

/**
 * A site that lets its own name point to 127.0.0.1 (DNS rebinding) gets nothing from a port of this machine alone.
 * @param asked as the client names the host, with a port; names are the same in upper and lower case
 */
export function isExpectedHost(
  asked: string,
  { host, address }: Pick<LivePageNeeds, 'host' | 'address'>,
): boolean {
  const isLocal = address === '::1' || /^(::ffff:)?127\./.test(address);
  if (!isLocal) return true;
  const name = asked
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  const names = ['localhost', host.toLowerCase()];
  return names.includes(name) || name.endsWith('.localhost') || isIP(name) !== 0;
}

interface Stream {
  add(response: ServerResponse): void;
}

function createStream(needs: LivePageNeeds): Stream {
  const { folder, log } = needs;
  const file = openHistory(folder, error =>
    log('warn', `The history of the live page ends with worker ${process.pid}: ${error.message}`),
  );
  const last = file.history.moments.at(-1);
  const see = createLooks(needs, last && (JSON.parse(last.json) as Moment));
  const isFresh = createSent(file.history, needs.controlSocket === undefined);
  let { history } = file;
  let before: Look | undefined;
  let timer: NodeJS.Timeout | undefined;
  let hasFailed = false;

  const lines = createLogBatches(batch =>
    viewers.send(batch.map(line => message('log', JSON.stringify(line)))),
  );
  const setFollowing = createFollowing(folder, lines.add);
  const viewers = createViewers(size => setFollowing(size > 0));

  async function look(): Promise<void> {
    timer = undefined;
    const { look: now, events } = await see();
    const moment = momentOf(now, before);
    before = now;
    const fresh = events.filter(isFresh).map(keptEvent);
    const kept = keptMoment(moment);
    history = withMoment(fresh.reduce(withEvent, history), kept);
    file.add([...fresh.map(eventLine), momentLine(kept)].join(''), history);
    viewers.send([...fresh.map(({ json }) => message('lifecycle', json)), message('moment', kept.json)]);
    lookIn(viewers.size > 0 ? WATCHED_MS : UNWATCHED_MS);
  }

  function fail(error: Error): void {
    if (!hasFailed) log('warn', `The live page cannot show the service: ${error.message}`);
    hasFailed = true;
    lookIn(UNWATCHED_MS);
  }

  function lookIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void look().catch(fail), ms).unref();
  }

  lookIn(0);
  return {
    add(response) {
      if (viewers.size === MAX_VIEWERS)
        return answerJson(response, 503, { reason: `${MAX_VIEWERS} look at this page already` });
      viewers.add(response, [message('history', historyJson(history))]);
      // One that waits for the history's next look does not wait for five seconds.
      if (timer !== undefined) lookIn(0);
    },
  };
}

/** Follows the log of this service while that is wanted. */
function createFollowing(folder: string, line: (line: LogLine) => void): (isWanted: boolean) => void {
  let leave: (() => void) | undefined;
  return isWanted => {
    if (isWanted) {
      leave ??= followLog(() => [folder], { line });
      return;
    }
    leave?.();
    leave = undefined;
  };
}

/**
 * Each event is sent once: a supervisor that is asked from the beginning, by the next holder of the port or after another
 * one has answered, reports all its events again.
 * @param history what the holder before this one has sent
 * @param isDerived a death is derived from a dead socket, which the next holder may find as well, at another time
 * @returns whether an event has not been sent yet; it counts as sent from then on
 */
function createSent({ events }: History, isDerived: boolean): (event: Lifecycle) => boolean {
  const sent = new Set<string>();
  for (const { json } of events) isFresh(JSON.parse(json) as Lifecycle);
  return isFresh;

  function isFresh({ kind, pid, at, text }: Lifecycle): boolean {
    const key = kind === 'crash' && isDerived ? `crash ${pid}` : `${at} ${text}`;
    if (sent.has(key)) return false;
    sent.add(key);
    // A later worker may have the pid of one that has died.
    if (kind === 'ready') sent.delete(`crash ${pid}`);
    const [oldest = key] = sent;
    if (sent.size > MAX_SENT) sent.delete(oldest);
    return true;
  }
}
