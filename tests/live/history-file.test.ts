/** The file in which the history outlives the worker that holds the port. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  eventLine,
  keptEvent,
  MAX_HISTORY,
  NO_HISTORY,
  withEvent,
  type Kept,
} from '../../src/live/history.js';
import { openHistory } from '../../src/live/history-file.js';
import { HISTORY } from '../../src/observability/service-folder.js';
import { lifecycle } from '../support/live-page-messages.js';
import { until } from '../support/processes.js';

let folder: string;
let path: string;
let failures: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cabe-history-'));
  path = join(folder, HISTORY);
  failures = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): ReturnType<typeof openHistory> =>
  openHistory(folder, error => void failures.push((error as NodeJS.ErrnoException).code ?? ''));
const event = (at: number): Kept => keptEvent(lifecycle(at, { text: '→' }));

test.each([2, 5])('of a file of %i times the size of a full history, the end is read', times => {
  const filling = `${'→'.repeat((times * MAX_HISTORY) / 3)}\n`;
  writeFileSync(path, `${eventLine(event(1))}${filling}${eventLine(event(2))}`);
  expect(open().history.events).toEqual([event(2)]);
  expect(failures).toEqual([]);
});

test('one that could not be written anew leaves no other file, and is written anew with the next line', async () => {
  writeFileSync(path, 'x'.repeat(2 * MAX_HISTORY));
  const file = open();
  rmSync(path);
  mkdirSync(path);
  const first = withEvent(NO_HISTORY, event(1));
  file.add(eventLine(event(1)), first);
  await until(() => failures.length > 0, 'it fails');
  expect(failures).toEqual(['EISDIR']);
  expect(readdirSync(folder)).toEqual([HISTORY]);
  rmdirSync(path);
  file.add(eventLine(event(2)), withEvent(first, event(2)));
  await until(() => existsSync(path), 'it is written');
  expect(readFileSync(path, 'utf8')).toBe(eventLine(event(1)) + eventLine(event(2)));
});
