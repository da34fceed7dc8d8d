import { createAccessLog, type Access } from '../../src/http/access-log.js';
import { createLogger } from '../../src/utils/logger.js';

function setUp(level: 'info' | 'error' = 'info') {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  return { logger: createLogger({ env: 'production', level, output: { write, writeSoon: write } }), lines };
}

const access = (more: Partial<Access> = {}): Access => ({
  requestId: 'abc-1',
  trace: undefined,
  method: 'GET',
  url: '/health',
  status: 200,
  ms: 1.5,
  cut: false,
  ...more,
});

const timeless = (line: string | undefined): string => (line ?? '').replace(/"time":\d+/, '"time":0');

test.each([
  ['a usual request', access()],
  ['a failure', access({ status: 500 })],
  ['a request of a trace', access({ trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) } })],
  ['a URL that needs escaping', access({ url: '/a"b\\c\u0001é' })],
])('the line of %s is the one that pino would write', (_name, entry) => {
  const { logger, lines } = setUp();
  createAccessLog(logger)(entry);
  const { cut: _cut, trace, ...others } = entry;
  const { requestId, ...more } = others;
  const ids = trace && { trace_id: trace.traceId, span_id: trace.spanId };
  const fields = { requestId, ...ids, ...more };
  const msg = `${entry.method} ${entry.url} ${entry.status} ${entry.ms} ms`;
  logger[entry.status >= 500 ? 'error' : 'info'](fields, msg);
  expect(lines).toHaveLength(2);
  expect(timeless(lines[0])).toBe(timeless(lines[1]));
});

test.each([['our own logger'], ['a logger that writes its lines by itself']])(
  'a long URL is cut in the field and shorter in the message, by %s',
  name => {
    const { logger, lines } = setUp();
    const log = createAccessLog(name === 'our own logger' ? logger : logger.child({}));
    const begin = (length: number): string => `/${'x'.repeat(length - 2)}…`;
    log(access({ url: `/${'x'.repeat(1_023)}` }));
    log(access({ url: `/${'x'.repeat(16_000)}` }));
    const message = `GET ${begin(256)} 200 1.5 ms`;
    const [whole, cut] = lines.map(line => JSON.parse(line) as object);
    expect(whole).toMatchObject({ url: `/${'x'.repeat(1_023)}`, msg: message });
    expect(whole).not.toHaveProperty('shortened');
    expect(cut).toMatchObject({ url: begin(1_024), shortened: true, msg: message });
  },
);

test('no URL makes a line that a pipe does not keep together', () => {
  const { logger, lines } = setUp();
  createAccessLog(logger)(access({ url: `/${'é"'.repeat(8_000)}`, requestId: 'x'.repeat(128) }));
  expect(Buffer.byteLength(lines[0] ?? '')).toBeLessThanOrEqual(4_096);
});

test('a lost connection is said', () => {
  const { logger, lines } = setUp();
  createAccessLog(logger)(access({ cut: true }));
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    msg: expect.stringMatching(/1.5 ms \(connection lost/),
  });
});

test('levels are kept, also when they change', () => {
  const { logger, lines } = setUp('error');
  const log = createAccessLog(logger);
  log(access());
  log(access({ status: 503 }));
  logger.level = 'info';
  log(access());
  expect(lines.map(line => (JSON.parse(line) as { status: number }).status)).toEqual([503, 200]);
});

test('a logger that is not exactly ours writes its lines by itself', () => {
  const { logger, lines } = setUp();
  createAccessLog(logger.child({ tenant: 'a' }))(access());
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ tenant: 'a', msg: 'GET /health 200 1.5 ms' });
});
