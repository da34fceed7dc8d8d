/** The app file, as far as a command needs it. */
import { readAppFile, type AppFile } from '../supervisor/app-file/read.js';

/** What the file prints goes to standard error: standard output belongs to the command. */
export async function readForCommand(path: string): Promise<AppFile> {
  const file = await readAppFile(path);
  for (const { msg } of file.printed) process.stderr.write(`${msg}\n`);
  return file;
}
