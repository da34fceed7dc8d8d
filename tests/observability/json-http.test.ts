/** Bodies of orders, as clients of all kinds send them. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerJson, jsonBody } from '../../src/observability/json-http.js';
import { request } from '../support/processes.js';

const MAX_BYTES = 32;

const server = http.createServer((asked, response) => {
  void jsonBody(asked, MAX_BYTES).then(body => answerJson(response, 200, { body: body ?? 'refused' }));
});
let port: number;

beforeAll(async () => {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
afterAll(() => agent.destroy());

test.each([
  ['JSON is read', '{"slot":1}', { slot: 1 }],
  ['the limit is in bytes', `{"text":"${'é'.repeat(10)}"}`, { text: 'é'.repeat(10) }],
  ['a longer body is refused', `{"text":"${'é'.repeat(11)}"}`, 'refused'],
  ['a very long body is refused', `{"text":"${'x'.repeat(1_000_000)}"}`, 'refused'],
  ['a broken body is refused', '{', 'refused'],
  ['no body is refused', '', 'refused'],
])('%s, with its length beforehand and without, on one connection', async (_what, body, expected) => {
  for (const headers of [{ 'Content-Length': Buffer.byteLength(body) }, { 'Transfer-Encoding': 'chunked' }]) {
    const answer = await request(port, '/', { method: 'POST', agent, headers, body });
    expect([answer.status, answer.json()]).toEqual([200, { body: expected }]);
  }
});
