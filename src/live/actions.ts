/** Orders from the live page. Without MANAGEMENT_TOKEN there are none. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { orderDiagnosis } from '../diagnostics/over-socket.js';
import { parseRequest } from '../diagnostics/request.js';
import { askSiblings } from '../observability/ask-workers.js';
import { answerJson, jsonBody } from '../observability/json-http.js';
import type { ThreadLog } from '../observability/thread-log.js';
import { MAX_WORKERS } from '../protocol/limits.js';
import type { SupervisedBy } from '../protocol/supervised-by.js';
import { pm2Command } from './pm2-command.js';

export const ACTIONS = ['/reload', '/scale', '/stop', '/diagnose'] as const;

/** Longest body of an order, in bytes. */
const MAX_BODY = 1_024;

/** Longest answer of the supervisor that is passed on, in characters. */
const MAX_ANSWER = 64 * 1024;

const NOT_STORED = { 'Cache-Control': 'no-store' };

export interface ActionNeeds {
  readonly log: ThreadLog;
  readonly app: string;
  readonly token: string | undefined;
  readonly supervisedBy: SupervisedBy;
  readonly controlSocket: string | undefined;
  readonly folder: string;
}

/** A refusal: its status and what is wrong. */
type Refusal = readonly [status: number, reason: string, headers?: Readonly<Record<string, string>>];

/** Why an order is refused before it is read; nothing if it is not. */
export function refusalOf(
  { headers, method }: IncomingMessage,
  token: string | undefined,
): Refusal | undefined {
  if (method !== 'POST') return [405, 'orders are given by POST', { Allow: 'POST' }];
  if (isForeign(headers)) return [403, 'an order of another site is refused'];
  if (token === undefined) return [403, 'orders are off; set MANAGEMENT_TOKEN to allow them'];
  const [, sent = ''] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
  if (!isSame(sent, token))
    return [401, 'the order needs the token of MANAGEMENT_TOKEN', { 'WWW-Authenticate': 'Bearer' }];
  if (!/^application\/json\b/i.test(headers['content-type'] ?? ''))
    return [415, 'the order must be application/json'];
  return undefined;
}

/** Browsers say from which site an order comes; names of hosts are the same in upper and lower case. */
function isForeign({ origin, host = '' }: IncomingMessage['headers']): boolean {
  const own = host.toLowerCase();
  return origin !== undefined && ![`http://${own}`, `https://${own}`].includes(origin.toLowerCase());
}

/** In the same time whatever was sent. */
function isSame(sent: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(sent), digest(token));
}

export async function act(
  needs: ActionNeeds,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refusal = refusalOf(request, needs.token);
  if (refusal !== undefined) return refuse(response, ...refusal);
  const body = await jsonBody(request, MAX_BODY);
  if (!isObject(body))
    return refuse(response, 400, `the order must be a JSON object of at most ${MAX_BODY} bytes`);
  if (path === '/diagnose') return diagnose(needs, body, response);
  if (path === '/scale' && !isNumberOfWorkers(body['instances']))
    return refuse(response, 400, `instances must be a whole number from 1 to ${MAX_WORKERS}`);
  if (needs.controlSocket === undefined) return refuse(response, 409, instead(needs, path, body));
  return passOn(needs, needs.controlSocket, path, JSON.stringify(body), response);
}

function refuse(
  response: ServerResponse,
  status: number,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  answerJson(response, status, { ok: false, reason }, { ...NOT_STORED, ...headers });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumberOfWorkers = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_WORKERS;

/** Its commands do that under PM2. */
function instead(
  { app, supervisedBy }: ActionNeeds,
  path: string,
  { instances }: Record<string, unknown>,
): string {
  if (supervisedBy !== 'pm2') return 'this worker runs alone: no supervisor takes orders';
  const action = path.slice(1);
  return `PM2 runs this service: use "${pm2Command(action, app, instances)}"`;
}

/**
 * The order may end the worker that holds the port: its client has an answer before the supervisor has the order. How
 * it ends is among the events; a refusal is in the log, too.
 */
function passOn(
  { log }: ActionNeeds,
  socketPath: string,
  path: string,
  body: string,
  response: ServerResponse,
): void {
  response
    .writeHead(202, { 'Content-Type': 'application/json', ...NOT_STORED })
    .end(`${JSON.stringify({ ok: true })}\n`, () => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
      const refused = (reason: string): void =>
        log('warn', `The order ${path} of the live page failed: ${reason}`);
      http
        .request({ socketPath, path, method: 'POST', headers, agent: false }, answer => {
          let text = '';
          answer
            .setEncoding('utf8')
            .on('data', (part: string) => (text = (text + part).slice(0, MAX_ANSWER)));
          answer.on('error', () => undefined); // `close` follows
          answer.on('close', () => {
            if (answer.statusCode !== 200) refused(text.trim());
          });
        })
        .on('error', error => refused(error.message))
        .end(body);
    });
}

/** Takes a diagnosis, which stays where DIAGNOSTICS_DIR says, and sends it. */
async function diagnose(
  { folder }: ActionNeeds,
  body: Record<string, unknown>,
  response: ServerResponse,
): Promise<void> {
  const order = parseRequest(body);
  if (typeof order === 'string') return refuse(response, 400, order);
  const workers = (await askSiblings(folder)).filter(({ slot, isGone }) => slot === body['slot'] && !isGone);
  const worker = workers.find(({ snapshot }) => snapshot?.phase === 'serving') ?? workers[0];
  if (worker === undefined)
    return refuse(response, 404, `slot ${JSON.stringify(body['slot'])} has no worker`);
  const outcome = await orderDiagnosis(worker.path, order);
  if (!outcome.ok) return refuse(response, 409, outcome.reason);
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': outcome.bytes,
    'Content-Disposition': `attachment; filename="${basename(outcome.file)}"`,
    ...NOT_STORED,
  });
  // A client that leaves meanwhile finds the file where `diagnose` has put it.
  await pipeline(createReadStream(outcome.file), response).catch(() => response.destroy());
}
