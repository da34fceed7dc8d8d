/** The live page of the management port shows what happens to its service, soon. */
import type { Browser, Page } from 'playwright-core';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { browser, hasChromium } from '../support/live-page.js';
import { cleanUp, freePort, request } from '../support/processes.js';
import { service, serving } from '../support/service.js';

/** How soon a person sees it, in ms. */
const SOON_MS = 2_000;

const TOKEN = 'a-token-of-the-tests';

jest.setTimeout(60_000);

(hasChromium ? describe : describe.skip)('natively', () => {
  let chromium: Browser;
  let page: Page;

  beforeAll(async () => {
    chromium = await browser();
  });
  afterAll(() => chromium.close());
  afterEach(async () => {
    await page.close();
    await cleanUp();
  });

  const shows = (selector: string, text: RegExp, timeout?: number): Promise<void> =>
    page
      .locator(selector)
      .filter({ hasText: text })
      .first()
      .waitFor(timeout === undefined ? {} : { timeout });

  test('requests, a crash, a hang and a reload', async () => {
    const management = await freePort();
    const running = await service({
      workers: 2,
      args: ['--config', hangingAppFile()],
      env: { MANAGEMENT_PORT: String(management), MANAGEMENT_TOKEN: TOKEN },
    });
    page = await chromium.newPage();
    const complaints: string[] = [];
    page.on('pageerror', error => complaints.push(error.message));
    page.on('request', sent => {
      if (!sent.url().startsWith(`http://127.0.0.1:${management}/`)) complaints.push(sent.url());
    });
    await page.goto(`http://127.0.0.1:${management}/`);
    await shows('#state', /Ready\s*2 of 2 workers serve/);
    await request(running.port, '/health', { headers: { 'X-Request-Id': 'seen-on-the-page' } });
    await shows('#log li', /seen-on-the-page/);
    await shows('#routes tbody tr', /GET \/health/);

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
});
