/** The app file, as far as a command needs it. */
import type { CommandLine } from './command-line.js';
import { readAppFile, type AppFile } from '../supervisor/app-file/read.js';

/** What the file prints goes to standard error: standard output belongs to the command. */
export async function readForCommand({
  file: path,
  isQuiet = false,
}: Pick<CommandLine, 'file' | 'isQuiet'>): Promise<AppFile> {
  const file = await readAppFile(path);
  if (!isQuiet) for (const { msg } of file.printed) process.stderr.write(`${msg}\n`);
  return file;
}
