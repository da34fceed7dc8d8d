/** The live page shows what happens to a real service, soon. */
import type { Browser, Page } from 'playwright-core';
import { hangingAppFile, hangPath } from '../support/hangs.js';
import { browser, hasChromium } from '../support/live-page.js';
import { liveView, type LiveView } from '../support/live-view.js';
import { cleanUp, request } from '../support/processes.js';
import { control, service, serving } from '../support/service.js';

/** How soon a person sees it, in ms. */
const SOON_MS = 2_000;

jest.setTimeout(60_000);

(hasChromium ? describe : describe.skip)('natively', () => {
  let chromium: Browser;
  let view: LiveView;
  let page: Page;

  beforeAll(async () => {
    chromium = await browser();
  });
  afterAll(() => chromium.close());
  afterEach(async () => {
    await page.close();
    await view.end();
    await cleanUp();
  });

  const shows = (selector: string, text: RegExp, timeout?: number): Promise<void> =>
    page
      .locator(selector)
      .filter({ hasText: text })
      .first()
      .waitFor(timeout === undefined ? {} : { timeout });

  test('requests, a crash, a hang and a reload', async () => {
    const running = await service({ workers: 2, args: ['--config', hangingAppFile()] });
    view = await liveView(running.env['RUN_DIR'] ?? '');
    page = await chromium.newPage();
    const complaints: string[] = [];
    page.on('pageerror', error => complaints.push(error.message));
    await page.goto(view.url);
    await shows('#state', /Well\s*2 of 2 workers serve/);
    await request(running.port, '/health', { headers: { 'X-Request-Id': 'seen-on-the-page' } });
    await shows('#log li', /seen-on-the-page/);
    await shows('#routes tbody tr', /GET \/health/);

    const [pid = 0] = await serving(running);
    process.kill(pid, 'SIGKILL');
    await shows('#events li', new RegExp(`crash.*${pid}.*SIGKILL`), SOON_MS);

    await shows('#state', /2 of 2 workers serve/);
    await control(running, 'POST', '/reload');
    await shows('#events li', /Reload finished/, SOON_MS);

    const asked = performance.now();
    await request(running.port, hangPath('loop', 12_000));
    await shows('#state', /hang/);
    await shows('#why li', /hung|blocked|does not answer/);
    expect(performance.now() - asked).toBeGreaterThan(1_000);
    expect(complaints).toEqual([]);
  });
});
