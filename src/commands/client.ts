/** Talks to the supervisor of a service over its control socket. */
import http from 'node:http';
import { ServiceError } from '../errors.js';
import { readService } from '../supervisor/reading.js';
import { runDirectoryOf } from '../supervisor/run-directory.js';
import type { CommandLine } from './command-line.js';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Client {
  readonly socket: string;
  /** @throws ServiceError NO_SUPERVISOR if nobody listens */
  get(path: string): Promise<Answer>;
  post(path: string, body?: object): Promise<Answer>;
}

/** The client of the service that this command line means. */
export function clientOf({ file, only, envName }: CommandLine): Client {
  const { app, settings } = readService({ file, only, envName });
  const { socket } = runDirectoryOf({ name: app.name, file, envName, runDir: settings.runDir });
  return {
    socket,
    get: path => send(socket, 'GET', path, undefined),
    post: (path, body = {}) => send(socket, 'POST', path, body),
  };
}

function send(socketPath: string, method: string, path: string, body: object | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const request = http.request({ socketPath, path, method, headers, agent: false }, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }),
      );
      response.on('error', reject);
    });
    request.on('error', (error: NodeJS.ErrnoException) => reject(explained(error, socketPath)));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function explained(error: NodeJS.ErrnoException, socket: string): Error {
  if (error.code === 'ECONNRESET')
    return new ServiceError('SUPERVISOR_GONE', `The supervisor ended before it answered (${socket})`);
  if (error.code === 'EACCES') return new ServiceError('NOT_YOURS', `${socket} belongs to another user`);
  return new ServiceError('NO_SUPERVISOR', `No supervisor runs this service: nobody answers at ${socket}`);
}
