/** The live page on the management port: its files, the stream that it shows, and its orders. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { act, ACTIONS, type ActionNeeds } from './actions.js';
import { followLog } from './follow-log.js';
import { historyJson, withEvent, withMoment } from './history.js';
import { openHistory } from './history-file.js';
import { createLooks } from './look-at-service.js';
import type { Lifecycle, LogLine } from './messages.js';
import { momentOf, type Look } from './moment.js';
import { PAGE_HEADERS, readPage, type PageFile } from './page-files.js';
import { createViewers, MAX_VIEWERS, message } from './viewers.js';

/** How often the service is looked at, in ms: with a viewer, and for the history alone. */
const WATCHED_MS = 1_000;
const UNWATCHED_MS = 5_000;

/** Log lines are sent together, so often, in ms. */
const LINES_MS = 100;

/** So many lines are sent at once: what all workers of a large service copy may be more than a page can show. */
const MAX_LINES = 1_000;

/** So many events are known as told; more than any list of events has. */
const MAX_TOLD = 1_000;

export interface LivePageNeeds extends ActionNeeds {
  /** Where the page's files are: `dist/live/page`. */
  readonly pageFolder: string;
  /** Address of the management port. */
  readonly host: string;
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

  return {
    answer(request, response) {
      const path = (request.url ?? '').split('?')[0] ?? '';
      const isAction = ACTIONS.some(action => action === path);
      const isOurs = path === '/' || path === '/live' || path.startsWith('/live/') || isAction;
      if (!isOurs) return false;
      if (!isExpectedHost(request.headers.host, needs.host)) {
        refuse(
          response,
          403,
          `the page is not served for the host ${JSON.stringify(request.headers.host ?? '')}; open it by an address of this machine`,
        );
        return true;
      }
      if (isAction) {
        act(needs, path, request, response).catch((error: Error) => {
          if (response.headersSent) response.destroy();
          else refuse(response, 500, error.message);
        });
        return true;
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        refuse(response.setHeader('Allow', 'GET, HEAD'), 405, `${path} takes GET`);
        return true;
      }
      if (path === '/live') {
        if (request.method === 'GET') stream.add(response);
        else refuse(response.setHeader('Allow', 'GET'), 405, '/live takes GET');
        return true;
      }
      const file = pageFiles().get(path);
      if (file === undefined) return false;
      response
        .writeHead(200, { ...PAGE_HEADERS, 'Content-Type': file.type, 'Content-Length': file.body.length })
        .end(request.method === 'HEAD' ? undefined : file.body);
      return true;
    },
  };
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify({ reason })}\n`);
}

/**
 * A site that lets its own name point to 127.0.0.1 (DNS rebinding) gets nothing from a port of this machine alone.
 * @param host as the client names it, with a port
 * @param address where the port listens
 */
export function isExpectedHost(host: string | undefined, address: string): boolean {
  const isLocal = address === 'localhost' || address === '::1' || address.startsWith('127.');
  if (!isLocal) return true;
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0;
}

interface Stream {
  add(response: ServerResponse): void;
}

function createStream(needs: LivePageNeeds): Stream {
  const { folder, log } = needs;
  const file = openHistory(folder, error =>
    log('warn', `The history of the live page ends with worker ${process.pid}: ${error.message}`),
  );
  const see = createLooks(needs);
  const told = new Set(file.history.events.map(({ json }) => keyOf(JSON.parse(json) as Lifecycle)));
  let { history } = file;
  let before: Look | undefined;
  let timer: NodeJS.Timeout | undefined;
  let leaveLog: (() => void) | undefined;
  let hasFailed = false;

  const lines = createLines(batch => viewers.send(batch));
  const viewers = createViewers(size => {
    if (size > 0) {
      leaveLog ??= followLog(() => [folder], { line: lines.add });
      return;
    }
    leaveLog?.();
    leaveLog = undefined;
  });

  async function look(): Promise<void> {
    timer = undefined;
    const { look: now, events } = await see();
    const moment = momentOf(now, before);
    before = now;
    const fresh = events.filter(event => !told.has(keyOf(event)));
    for (const lifecycle of fresh) {
      told.add(keyOf(lifecycle));
      // The oldest ones come no more.
      for (const key of told) if (told.size > MAX_TOLD) told.delete(key);
      history = withEvent(history, lifecycle);
      file.add({ lifecycle }, history);
    }
    history = withMoment(history, moment);
    file.add({ moment }, history);
    viewers.send([
      ...fresh.map(event => message('lifecycle', JSON.stringify(event))),
      message('moment', JSON.stringify(moment)),
    ]);
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
        return refuse(response, 503, `${MAX_VIEWERS} look at this page already`);
      viewers.add(response, [message('history', historyJson(history))]);
      // One that waits for the history's next look does not wait for five seconds.
      if (timer !== undefined) lookIn(0);
    },
  };
}

/** The supervisor's events keep their time, and a process dies once. */
const keyOf = ({ kind, pid, slot, at }: Lifecycle): string =>
  kind === 'crash' && pid !== null ? `crash ${pid}` : `${kind} ${pid} ${slot} ${at}`;

function createLines(send: (messages: readonly string[]) => void): { add(line: LogLine): void } {
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  return {
    add(line) {
      if (lines.length < MAX_LINES) lines.push(message('log', JSON.stringify(line)));
      timer ??= setTimeout(() => {
        send(lines);
        lines = [];
        timer = undefined;
      }, LINES_MS);
    },
  };
}
