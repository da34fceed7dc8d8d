/** A diagnosis is ordered over the socket of the worker's observer thread: both ends of it. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { answerJson, jsonBody } from '../observability/json-http.js';
import type { Diagnostics } from './diagnose.js';
import { DIAGNOSE_PATH, parseRequest, type DiagnosticsOutcome, type DiagnosticsRequest } from './request.js';

/** Longest body that is read, in bytes. */
const MAX_BODY = 1_024;

/** What a worker may take beyond the time of a profile: a heap snapshot of gigabytes takes minutes. */
const PATIENCE_MS = 600_000;

/** @returns whether this was such an order */
export function answerOrder(
  diagnose: Diagnostics['diagnose'],
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (request.url !== DIAGNOSE_PATH || request.method !== 'POST') return false;
  const answer = (status: number, outcome: DiagnosticsOutcome): void => answerJson(response, status, outcome);
  void jsonBody(request, MAX_BODY).then(async body => {
    const order = parseRequest(body);
    if (typeof order === 'string') return answer(400, { ok: false, reason: order });
    const outcome = await diagnose(order);
    answer(outcome.ok ? 200 : 409, outcome);
  });
  return true;
}

/** Orders a diagnosis at this socket. Never rejects. */
export function orderDiagnosis(socketPath: string, order: DiagnosticsRequest): Promise<DiagnosticsOutcome> {
  const body = JSON.stringify(order);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const signal = AbortSignal.timeout(order.seconds * 1_000 + PATIENCE_MS);
  return new Promise(resolve => {
    const fail = (error: Error): void =>
      resolve({ ok: false, reason: `the worker gives no answer: ${error.message}` });
    http
      .request(
        { socketPath, path: DIAGNOSE_PATH, method: 'POST', headers, agent: false, signal },
        response => {
          text(response)
            .then(answer => resolve(JSON.parse(answer) as DiagnosticsOutcome))
            .catch(fail);
        },
      )
      .on('error', fail)
      .end(body);
  });
}
