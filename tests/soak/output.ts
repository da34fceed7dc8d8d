/** Standard output of a service: a pipe that is read and forgotten, except for its last lines that no request caused. */
import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const KEPT_LINES = 60;

const isKept = (line: string): boolean => line !== '' && !line.includes('"requestId"');

export class Output {
  /** The command that starts the service with this output. */
  readonly launcher: readonly string[];
  private readonly path: string;
  private reader: Socket | undefined;
  private last: string[] = [];

  constructor(path: string) {
    this.path = path;
    this.launcher = ['sh', '-c', 'exec "$@" >"$0"', path];
    execFileSync('mkfifo', [path]);
  }

  /** Reads what the service writes from now on, until it has ended. */
  read(): void {
    this.close();
    this.reader = new Socket({ fd: openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK) });
    this.reader.setEncoding('utf8').on('data', (chunk: string) => {
      this.last = [...this.last, ...chunk.split('\n').filter(isKept)].slice(-KEPT_LINES);
    });
  }

  /** Does not read for so long. */
  async stall(ms: number): Promise<void> {
    this.reader?.pause();
    await pause(ms);
    this.reader?.resume();
  }

  close(): void {
    this.reader?.destroy();
  }

  lastLines(): string {
    return this.last.join('\n');
  }
}
