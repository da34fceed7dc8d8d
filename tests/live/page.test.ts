/** The live page in a real browser, Debian's Chromium; a server of the test's own plays what the service does. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { faults, focused, stored } from '../support/in-page.cjs';
import { browser, hasChromium, pageServer, type PageServer } from '../support/live-page.js';
import { lifecycle, logLine, moment, workers } from '../support/live-page-messages.js';
import { folder } from '../support/processes.js';

if (!hasChromium)
  process.stderr.write(
    'The tests of the live page are skipped: install Chromium (apt-get install chromium)\n',
  );

const NOW = Date.UTC(2026, 0, 1, 12);
/** Of a test; the machine may be busy. */
const TIMEOUT_MS = 20_000;
jest.setTimeout(TIMEOUT_MS);

const PHONE = { width: 390, height: 844 };

(hasChromium ? describe : describe.skip)('the page', () => {
  let chromium: Browser;
  let server: PageServer;
  let page: Page;
  /** What must not happen in any test. */
  let complaints: string[];
  let aliens: string[];

  beforeAll(async () => {
    chromium = await browser();
  });
  afterAll(() => chromium.close());

  beforeEach(async () => {
    server = await pageServer();
    complaints = [];
    aliens = [];
  });
  afterEach(async () => {
    await page.context().close();
    await server.close();
    const all = [...complaints, ...aliens.map(url => `asked for ${url}`)];
    if (all.length > 0) throw new Error(`The page must not cause this:\n${all.join('\n')}`);
  });

  async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<void> {
    page = await (await chromium.newContext(options)).newPage();
    page.setDefaultTimeout(TIMEOUT_MS / 2);
    // A lost connection is reported by the network, and is no fault of the page.
    page.on('console', message => {
      if (message.type() === 'error' && !/net::ERR_|status of 401/.test(message.text()))
        complaints.push(message.text());
    });
    page.on('pageerror', error => complaints.push(error.message));
    page.on('request', request => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.url))
        aliens.push(request.url());
    });
    await page.goto(server.url);
    await shows('#connection', 'live');
  }

  const shows = (selector: string, text: string | RegExp): Promise<void> =>
    page.locator(selector).filter({ hasText: text }).first().waitFor();
  /** What the page's JavaScript keeps, in bytes. */
  async function heap(): Promise<number> {
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    await session.detach();
    return usedSize;
  }

  const texts = (selector: string): Promise<string[]> => page.locator(selector).allTextContents();

  test('shows the history at once, and each moment that follows', async () => {
    server.history = {
      moments: [moment(NOW - 2_000), moment(NOW - 1_000)],
      lifecycle: [lifecycle(NOW - 1_500)],
    };
    await open();
    await shows('#state', /Ready\s*2 of 2 workers serve/);
    await shows('#plot-requests .value', '200');
    expect(await texts('#workers tbody tr:first-child > *')).toEqual([
      '0',
      'ready',
      '4100',
      '1',
      '1 min 0 s',
      '0',
      '40.0 %',
      '90.0 MB',
      '40.0 %',
      '100',
      '1.50 ms',
      '8.00 ms',
      '1',
    ]);
    await shows('#events li', 'reload reloaded');
    server.send('moment', moment(NOW, { workers: workers(2, { requestsPerSecond: 321 }) }));
    await shows('#plot-requests .value', '642');
    await shows('#routes tbody tr', /GET \/health150–1\.50 ms8\.00 ms/);
  });

  test('shows a crash and a hang, the stack of the hang, and where they are in time', async () => {
    await open();
    const why = 'slot 1: pid 4101 exited with code 1';
    server.send('moment', moment(NOW, { state: 'degraded', served: 1, why: [why] }));
    server.send(
      'lifecycle',
      lifecycle(NOW, { kind: 'crash', slot: 1, pid: 4101, text: 'exited with code 1' }),
    );
    server.send(
      'lifecycle',
      lifecycle(NOW - 60_000, { kind: 'hang', slot: 0, pid: 4100, text: 'blocked', stack: 'at spin' }),
    );
    await shows('#state[data-tone=bad]', 'Degraded');
    await shows('#why li', why);
    await shows('#events li', /crash slot 1: exited with code 1/);
    await page.locator('#events summary').click();
    await shows('#events pre', 'at spin');
    expect(await page.locator('.marker').evaluateAll(all => all.map(each => each.dataset['kind']))).toEqual([
      'hang',
      'crash',
    ]);
    await page.locator('.marker[data-kind=crash]').focus();
    await shows('.marker:focus .tip', 'exited with code 1');
    await page.keyboard.press('Enter');
    expect(await page.locator(':focus').textContent()).toContain('exited with code 1');
  });

  test('connects again, and merges the history without doubles', async () => {
    const events = [lifecycle(NOW - 9_000, { kind: 'crash', pid: 7, slot: 0, text: 'exited' })];
    server.history = { moments: [moment(NOW - 1_000)], lifecycle: events };
    await open();
    await shows('#events li', 'exited');
    server.history = {
      moments: [moment(NOW - 900), moment(NOW, { workers: workers(2, { pid: 9_000 }) })],
      lifecycle: [...events.map(event => ({ ...event, at: event.at + 300 })), lifecycle(NOW)],
    };
    server.drop();
    await shows('#connection', 'reconnecting');
    await shows('#connection', 'live');
    await shows('#workers td', '9000');
    expect(await texts('#events strong')).toEqual(['reload', 'crash']);
    expect(server.viewers()).toBe(1);
  });

  test('what clients send is text, never markup', async () => {
    server.history = { moments: [moment(NOW)], lifecycle: [] };
    await open();
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script></head>$&';
    const route = {
      method: 'GET',
      route: evil,
      requestsPerSecond: 1,
      errorsPerSecond: 0,
      p50Ms: 1,
      p99Ms: 1,
    };
    server.send('log', logLine(NOW, { text: evil, requestId: evil }));
    server.send('lifecycle', lifecycle(NOW, { text: evil, stack: evil }));
    server.send('moment', moment(NOW + 1_000, { app: evil, why: [evil], routes: [route] }));
    await shows('#why', evil); // the page moves no more
    await page.locator('#events summary').click();
    for (const place of ['#log .text', '#log .request', '#events pre', '#app', '#why', '#routes th'])
      await shows(place, evil);
    expect(await page.locator('body :is(img, script)').count()).toBe(0);
  });

  test('the log is filtered by level, and searched for a request', async () => {
    await open();
    server.send('log', logLine(NOW, { text: 'first', requestId: 'req-1' }));
    server.send('log', logLine(NOW, { text: 'second', level: 'error', requestId: 'req-2' }));
    server.send('log', logLine(NOW, { text: 'third', level: 'debug', requestId: 'req-2' }));
    await shows('#log-note', '2 of the last 3 lines');
    expect(await texts('#log .text')).toEqual(['first', 'second']);
    await page.selectOption('#log-level', 'trace');
    await page.fill('#log-search', 'REQ-2');
    await shows('#log-note', '2 of the last 3 lines');
    expect(await texts('#log .text')).toEqual(['second', 'third']);
    await page.selectOption('#log-level', 'fatal');
    await shows('#log-empty', 'None of the last 3 lines is like this.');
  });

  test('pause holds what is shown, and loses nothing', async () => {
    server.history = { moments: [moment(NOW)], lifecycle: [] };
    await open();
    await shows('#state', 'Ready');
    await page.click('#pause');
    server.send('moment', moment(NOW + 1_000, { state: 'down', served: 0 }));
    server.send('log', logLine(NOW + 1_000));
    await page.click('#pause');
    await shows('#state', 'Down');
    await shows('#log .text', 'GET /health 200');
  });

  test('orders need a token, which is kept nowhere, and a question before the service stops', async () => {
    server.history = { moments: [moment(NOW)], lifecycle: [] };
    await open();
    await shows('#state', 'Ready');
    expect(await page.locator('#reload').isDisabled()).toBe(true);
    await page.fill('#token', 'wrong');
    await page.click('#reload');
    await shows('#outcome', 'Not done: this is not the token');
    await page.fill('#token', 'right');
    await page.click('#stop');
    await page.click('#question button[value=no]');
    expect(server.orders.map(({ path }) => path)).toEqual([expect.stringContaining('reload')]);
    await page.fill('#instances', '3');
    await page.click('#scale');
    await page.click('#question button[value=yes]');
    await shows('#outcome', 'Scale to 3 ordered');
    expect(server.orders.at(-1)).toMatchObject({
      body: { instances: 3 },
      headers: { authorization: 'Bearer right', origin: server.url.slice(0, -1) },
    });
    const kept = await page.evaluate(stored);
    expect(kept).toEqual(['', 0, 0, server.url]);
  });

  test('the number of workers to scale to is the present one, until someone types another', async () => {
    server.history = { moments: [moment(NOW)], lifecycle: [] };
    await open();
    const instances = page.locator('#instances');
    await page.fill('#token', 'any');
    server.send('moment', moment(NOW + 1_000, { wanted: 4, served: 4 }));
    await shows('#state', '4 of 4');
    expect(await instances.inputValue()).toBe('4');
    await instances.fill('6');
    await page.locator('#token').focus();
    server.send('moment', moment(NOW + 2_000, { wanted: 5, served: 5 }));
    await shows('#state', '5 of 5');
    expect(await instances.inputValue()).toBe('6');
  });

  test('a saved page shows plots, events, workers and log without scripts and without network', async () => {
    const text = 'exited </script><b>';
    server.history = {
      moments: Array.from({ length: 60 }, (_, index) => moment(NOW + index * 1_000)),
      lifecycle: [lifecycle(NOW + 30_000, { kind: 'crash', slot: 1, text, stack: 'at spin' })],
    };
    await open();
    server.send('log', logLine(NOW, { text: 'saved line' }));
    await shows('#log .text', 'saved line');
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
    expect(saved.suggestedFilename()).toBe('cabe-arena-api-2026-01-01T120059.html');
    const html = readFileSync(await saved.path(), 'utf8');
    expect(html).not.toContain('<script');
    const file = join(folder(), 'saved.html');
    writeFileSync(file, html);
    const other = await page.context().newPage();
    const asked: string[] = [];
    other.on('request', request => asked.push(request.url()));
    other.on('console', message => complaints.push(message.text()));
    await other.goto(`file://${file}`);
    expect(asked).toEqual([`file://${file}`]);
    expect(await other.locator('svg.drawing').count()).toBe(6);
    const line = other.locator('svg.drawing .line-1').first();
    expect((await line.getAttribute('d'))?.length).toBeGreaterThan(300);
    expect(await other.locator('.events p').textContent()).toContain(text);
    expect(await other.locator('.log .text').textContent()).toBe('saved line');
    expect(await other.locator('tbody tr').count()).toBe(2);
  });

  test('a day of figures and lines leaves it small and quick', async () => {
    await open();
    const size = (): Promise<number> => page.locator('*').count();
    const send = async (from: number, to: number): Promise<void> => {
      for (let step = from; step < to; step += 1) {
        const at = NOW + step * 20_000;
        server.send('moment', moment(at));
        server.send('log', logLine(at, { text: `line ${step}` }));
        if (step % 10 === 0) server.send('lifecycle', lifecycle(at, { kind: 'crash', slot: 0, pid: step }));
      }
      await shows('#log .text', `line ${to - 1}`);
    };
    await send(0, 2_160); // half a day
    const halfway = { heap: await heap(), size: await size() };
    await send(2_160, 4_320);
    expect(await heap()).toBeLessThan(halfway.heap + 4 * 2 ** 20);
    expect(await size()).toBeLessThan(halfway.size + 3_000);
    const started = performance.now();
    await page.locator('#zoom label', { hasText: '60 min' }).click();
    await shows('#span-words', 'hour');
    expect(performance.now() - started).toBeLessThan(2_000);
  }, 30_000);

  test('a full history of a large service is shown soon, and is small in memory', async () => {
    const stack = 'at spin (/srv/app/dist/app.js:1:1)\n'.repeat(140);
    server.history = {
      moments: Array.from({ length: 316 }, (_, index) =>
        moment(NOW + index * 11_000, { workers: workers(64), served: 64, wanted: 64 }),
      ),
      lifecycle: Array.from({ length: 200 }, (_, index) =>
        lifecycle(NOW + index * 11_000, { kind: 'hang', pid: index, slot: 0, stack }),
      ),
    };
    const started = performance.now();
    await open();
    await shows('#state', '64 of 64 workers serve');
    await page.locator('#zoom label', { hasText: '60 min' }).click();
    await shows('#span-words', 'hour');
    // About a second on a quiet machine, most of it for the page itself.
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(await heap()).toBeLessThan(32 * 2 ** 20);
  });

  test.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['a phone', { viewport: PHONE, isMobile: true }],
    ['reduced motion', { reducedMotion: 'reduce' }],
  ] as const)('all is labelled, and has contrast: %s', async (_name, options) => {
    const bad = { state: 'backoff', pid: null, cpu: null, restarts: 3 };
    server.history = {
      moments: [
        moment(NOW, {
          state: 'degraded',
          why: ['slot 1: waits'],
          workers: [...workers(1), ...workers(2, bad).slice(1)],
        }),
      ],
      lifecycle: [lifecycle(NOW - 9_000, { kind: 'hang', slot: 0, text: 'blocked', stack: 'at spin' })],
    };
    await open(options);
    await shows('#state', 'Degraded');
    for (const level of ['info', 'warn', 'error'] as const) server.send('log', logLine(NOW, { level }));
    await page.fill('#token', 'any');
    await page.click('#workers tbody button');
    await page.locator('#events summary').click();
    await shows('#log li', 'error');
    expect(await page.evaluate(faults)).toEqual([]);
    expect(await page.locator('#plot-requests .canvas').getAttribute('aria-label')).toContain('lowest 200');
  });

  test('the keyboard reaches everything, and shows where it is', async () => {
    server.history = { moments: [moment(NOW)], lifecycle: [] };
    await open();
    await shows('#state', 'Ready');
    await page.fill('#token', 'any');
    await page.locator('#token').blur();
    const reached = new Set<string>();
    for (let step = 0; step < 40; step += 1) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(focused);
      if (at !== null) reached.add(at);
    }
    for (const name of [
      'pause',
      'save',
      '10',
      '0',
      '1',
      'log-level',
      'log-search',
      'token',
      'reload',
      'scale',
      'profile',
      'stop',
    ])
      expect([...reached]).toContain(`${name} visible`);
    expect([...reached].filter(name => name.endsWith('lost'))).toEqual([]);
  });
});
