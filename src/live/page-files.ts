/** The files of the live page, and the headers they are answered with. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/**
 * Nothing but this server's own files and answers: no other host, no inline script, no inline style, no frame around it.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

/**
 * All files by the path of their address: `index.html` at `/`, each other one below `/live/`.
 * @param folder `dist/live/page`, where the build puts uPlot as well
 */
export function readPage(folder: string): ReadonlyMap<string, PageFile> {
  const names = readdirSync(folder).filter(name => extname(name) in TYPES);
  return new Map(
    names.map(name => [
      name === 'index.html' ? '/' : `/live/${name}`,
      { type: TYPES[extname(name)] ?? '', body: readFileSync(join(folder, name)) },
    ]),
  );
}
