/** Where the files of diagnoses go. */
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The absolute path of DIAGNOSTICS_DIR, or of its default. For the main thread: the observer thread has no environment,
 * and with it no TMPDIR.
 */
export const diagnosticsFolder = (set: string | undefined): string =>
  resolve(set ?? join(tmpdir(), `cabe-diagnostics-${process.getuid?.() ?? 0}`));
