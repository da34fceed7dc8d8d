/** The live page of the management port shows what happens to its service, soon. */
import type { Browser, Page } from 'playwright-core';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { browser, hasChromium } from '../support/live-page.js';
import { Pm2 } from '../support/pm2.js';
import { cleanUp, freePort, request, until } from '../support/processes.js';
import { answers, service, serving } from '../support/service.js';

/** How soon a person sees it, in ms. */
const SOON_MS = 2_000;

const TOKEN = 'a-token-of-the-tests';

jest.setTimeout(90_000);

(hasChromium ? describe : describe.skip)('the page', () => {
  let chromium: Browser;
  let page: Page;
  /** What must not happen: errors, also of the Content-Security-Policy, and requests to other hosts. */
  let complaints: string[];

  beforeAll(async () => {
    chromium = await browser();
  });
  afterAll(() => chromium.close());
  beforeEach(async () => {
    complaints = [];
    page = await chromium.newPage();
    page.on('pageerror', error => complaints.push(error.message));
    // The browser itself reports a connection that ends with its worker, and an order that is refused.
    page.on('console', message => {
      if (message.type() === 'error' && !/net::ERR_|status of 409/.test(message.text()))
        complaints.push(message.text());
    });
  });
  afterEach(async () => {
    await page.close();
    await cleanUp();
  });

  async function open(management: number): Promise<void> {
    const url = `http://127.0.0.1:${management}/`;
    page.on('request', sent => {
      if (!sent.url().startsWith(url)) complaints.push(sent.url());
    });
    // A worker opens this port after its own.
    await until(() => answers(management), 'a worker holds the management port');
    await page.goto(url);
  }

  const shows = (selector: string, text: RegExp, timeout?: number): Promise<void> =>
    page
      .locator(selector)
      .filter({ hasText: text })
      .first()
      .waitFor(timeout === undefined ? {} : { timeout });

  async function showsRequest(port: number): Promise<void> {
    await request(port, '/health', { headers: { 'X-Request-Id': 'seen-on-the-page' } });
    await shows('#log li', /seen-on-the-page/);
    await shows('#routes tbody tr', /GET \/health/);
  }

  test('natively: requests, a crash, a hang and a reload', async () => {
    const management = await freePort();
    const running = await service({
      workers: 2,
      args: ['--config', hangingAppFile()],
      env: { MANAGEMENT_PORT: String(management), MANAGEMENT_TOKEN: TOKEN },
    });
    await open(management);
    await shows('#state', /Ready\s*2 of 2 workers serve/);
    await showsRequest(running.port);

    const [pid = 0] = await serving(running);
    process.kill(pid, 'SIGKILL');
    await shows('#events li', new RegExp(`crash.*${pid}.*SIGKILL`), SOON_MS);

    await shows('#state', /2 of 2 workers serve/);
    await page.fill('#token', TOKEN);
    await page.click('#reload');
    // Both workers go, the one that serves this page among them.
    await shows('#events li', /Reload finished/);
    await shows('#events li', new RegExp(`crash.*${pid}`));
    await shows('#state', /Ready/);
    await shows('#connection', /^live$/);

    await request(running.port, hangPath('loop', 12_000));
    await shows('#events li', /Worker \d+ has been blocked for [12]\.\d s/);
    await shows('#events li', /app\.js:\d+/);
    await shows('#state', /hang|hung/);
    expect(complaints).toEqual([]);
  });

  test('under PM2: both workers, requests, and a reload', async () => {
    const [port, management] = [await freePort(), await freePort()];
    const pm2 = new Pm2({
      PORT: String(port),
      HOST: '127.0.0.1',
      WEB_CONCURRENCY: '2',
      MANAGEMENT_PORT: String(management),
      MANAGEMENT_TOKEN: TOKEN,
    });
    try {
      expect(await pm2.run('start', 'ecosystem.config.js')).toMatchObject({ code: 0 });
      await open(management);
      await shows('#state', /Ready\s*2 of 2 workers serve/);
      const old = (await pm2.list()).map(({ pid }) => String(pid));
      const shown = page.locator('#workers tbody td:nth-child(3)');
      expect(await shown.allTextContents()).toEqual(old);
      await showsRequest(port);
      expect(await pm2.run('reload', 'cabe-arena-api')).toMatchObject({ code: 0 });
      const now = (await pm2.list()).map(({ pid }) => String(pid));
      for (const pid of now) await shows('#workers tbody td', new RegExp(`^${pid}$`));
      for (const pid of now) await shows('#events li', new RegExp(`ready.*${pid}`));
      for (const pid of old) await shows('#events li', new RegExp(`stop.*${pid}`));
      await shows('#state', /Ready\s*2 of 2 workers serve/);
      await shows('#connection', /^live$/);
      await page.fill('#token', TOKEN);
      await page.click('#reload');
      await shows('#outcome', /pm2 reload cabe-arena-api/);
      expect(complaints).toEqual([]);
    } finally {
      await pm2.end();
    }
  });
});
