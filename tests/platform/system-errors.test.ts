import { forkFailureText, unableToListen } from '../../src/platform/system-errors.js';

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`listen ${code}`), { code });

const nobody = (): undefined => undefined;

describe('unableToListen', () => {
  test.each([
    ['EADDRINUSE', 6, 'Port 80 of fe80::1 is already in use; stop that process or set PORT'],
    [
      'EADDRNOTAVAIL',
      5,
      'HOST must be an address of this machine, or not set for all of them, got "fe80::1"',
    ],
    [
      'EINVAL',
      5,
      'HOST must be an address with its interface, such as fe80::1%eth0, or one that needs none, got',
    ],
    ['EAFNOSUPPORT', 5, 'HOST must be an address of a family that this system has'],
    ['ENOTFOUND', 5, 'HOST must be a name that can be looked up'],
    ['EACCES', 5, 'PORT must be a port that this user may open, such as one from 1024 on, got 80'],
    ['EPERM', 5, "PORT must be a port that this system's security policy lets the service open, got 80"],
    ['EAI_AGAIN', 1, 'HOST=fe80::1 cannot be looked up at the moment'],
    [
      'EMFILE',
      1,
      'Unable to listen on port 80: too many open files in this process (EMFILE); raise its limit',
    ],
    ['ENOBUFS', 1, 'Unable to listen on port 80: the system has no memory for sockets (ENOBUFS)'],
  ])('%s ends the process with %i and a sentence', (code, exitCode, sentence) => {
    const error = unableToListen(failure(code), { port: 80, host: 'fe80::1' }, nobody);
    expect(error).toMatchObject({ exitCode });
    expect(error.message).toContain(sentence);
  });

  test('an error that it does not know is returned as it is', () => {
    const error = failure('EIEIO');
    expect(unableToListen(error, { port: 80, host: undefined }, nobody)).toBe(error);
  });
});

describe('forkFailureText', () => {
  test.each([
    ['ENOENT', '/usr/bin/node or /srv does not exist any more (ENOENT); put it back, or restart the service'],
    ['EAGAIN', 'the limit of processes is reached (EAGAIN); raise it (ulimit -u, TasksMax=, pids.max)'],
    [
      'E2BIG',
      'environment and arguments are too large (E2BIG); filter_env keeps variables away from workers',
    ],
    ['EMFILE', 'too many open files in this process (EMFILE); raise its limit (ulimit -n, LimitNOFILE=)'],
    ['EIEIO', 'spawn EIEIO'],
  ])('%s is named with its cure', (code, text) => {
    const error = Object.assign(new Error(`spawn ${code}`), { code });
    expect(forkFailureText(error, '/srv', '/usr/bin/node')).toBe(text);
  });
});
