/** A pipe between a service and a test that reads as it likes. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from './processes.js';

export interface Pipe {
  /** For the processes that write. Close it when they have it. */
  readonly fd: number;
  /** Fills the pipe with empty lines. */
  fill(): void;
  /** Reads so many bytes at most. @returns how many there were */
  read(bytes?: number): number;
  /** What has been read so far. */
  text(): string;
  /** No reader any more. */
  close(): void;
}

/** A pipe of the system; the ones between Node and its children are sockets. */
export function pipe(): Pipe {
  const path = join(folder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, 'w');
  const buffer = Buffer.alloc(1024 * 1024);
  const chunks: Buffer[] = [];

  /** @returns how many bytes were moved: none where the pipe is full, or empty */
  function tried(move: () => number): number {
    try {
      return move();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }

  return {
    fd,
    fill() {
      const filler = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      const emptyLines = Buffer.alloc(4_096, '\n');
      while (tried(() => writeSync(filler, emptyLines)) > 0);
      closeSync(filler);
    },
    read(bytes = buffer.length) {
      const count = tried(() => readSync(reader, buffer, 0, bytes, null));
      chunks.push(Buffer.from(buffer.subarray(0, count)));
      return count;
    },
    text: () => Buffer.concat(chunks).toString(),
    close: () => closeSync(reader),
  };
}
