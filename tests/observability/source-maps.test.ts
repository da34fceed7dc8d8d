/** Frames are named by their sources. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import { mapFrame } from '../../src/observability/source-maps.js';
import { cleanUp, folder } from '../support/processes.js';

afterEach(cleanUp);

/** A built file with its map. @returns its path, and where `here()` is called in it */
function built(map: (text: string) => string = text => text): {
  path: string;
  lineNumber: number;
  columnNumber: number;
} {
  const at = folder();
  const source = 'interface A {\n  a: 1;\n}\nexport const f = (): void =>\n  here();\n';
  const { code, map: text } = transformSync(source, {
    loader: 'ts',
    format: 'cjs',
    sourcemap: 'external',
    sourcefile: 'src/f.ts',
  });
  const path = join(at, 'f.js');
  writeFileSync(path, code);
  writeFileSync(`${path}.map`, map(text));
  const lines = code.split('\n');
  const lineNumber = lines.findIndex(line => line.includes('here()'));
  return { path, lineNumber, columnNumber: lines[lineNumber]?.indexOf('here()') ?? 0 };
}

test('a frame is the place in the source where there is a map', () => {
  const { path, ...place } = built();
  const expected = join(path, '..', 'src/f.ts:5:3');
  expect(mapFrame({ url: path, sourceMapURL: 'f.js.map' }, place)).toBe(expected);
  expect(mapFrame({ url: pathToFileURL(path).href, sourceMapURL: 'f.js.map' }, place)).toBe(expected);
});

test.each<[string, string, (text: string) => string]>([
  ['is missing', 'none.map', text => text],
  ['is damaged', 'f.js.map', text => text.slice(0, 20)],
  ['does not know the place', 'f.js.map', () => '{"version":3,"sources":[],"names":[],"mappings":""}'],
  ['is inline', 'data:application/json;base64,e30=', text => text],
])('it is the place in the built file where the map %s', (_how, sourceMapURL, change) => {
  const { path, ...place } = built(change);
  expect(mapFrame({ url: path, sourceMapURL }, place)).toBe(
    `${path}:${place.lineNumber + 1}:${place.columnNumber + 1}`,
  );
});

test('files below the working directory are named from there; Node’s own and unknown ones as they are', () => {
  const place = { lineNumber: 0, columnNumber: 4 };
  expect(mapFrame({ url: join(process.cwd(), 'dist/app.js') }, place)).toBe('dist/app.js:1:5');
  expect(mapFrame({ url: 'node:internal/timers' }, place)).toBe('node:internal/timers:1:5');
  expect(mapFrame({ url: '' }, place)).toBe('unknown');
  expect(mapFrame(undefined, place)).toBe('unknown');
});
