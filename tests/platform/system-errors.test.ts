import { fileFailureText, forkFailureText, unableToListen } from '../../src/platform/system-errors.js';

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`listen ${code}`), { code });

const noOwner = (): undefined => undefined;

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
    const error = unableToListen(failure(code), { port: 80, host: 'fe80::1' }, noOwner);
    expect(error).toMatchObject({ exitCode });
    expect(error.message).toContain(sentence);
  });

  test('an error that it does not know is returned as it is', () => {
    const error = failure('EIEIO');
    expect(unableToListen(error, { port: 80, host: undefined }, noOwner)).toBe(error);
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
    expect(forkFailureText(error, { cwd: '/srv', node: '/usr/bin/node' })).toBe(text);
  });
});

describe('fileFailureText', () => {
  const failing = (code: string, path?: string): NodeJS.ErrnoException =>
    Object.assign(new Error(`${code}: mkdir`), { code, ...(path === undefined ? {} : { path }) });

  test.each([
    ['EROFS', 'unable to write /run/api: its file system is read-only (EROFS); set RUN_DIR'],
    ['EACCES', 'unable to write /run/api: this user may not write there (EACCES); set RUN_DIR'],
    [
      'ENOSPC',
      'unable to write /run/api: no space or no inode is left on its file system (ENOSPC); set RUN_DIR',
    ],
    ['EDQUOT', 'unable to write /run/api: the disk quota of this user is used up (EDQUOT); set RUN_DIR'],
    ['ENAMETOOLONG', 'unable to write /run/api: the path is too long (ENAMETOOLONG); set RUN_DIR'],
    ['ENOTDIR', 'unable to write /run/api: a part of the path is not a folder (ENOTDIR); set RUN_DIR'],
    [
      'EMFILE',
      'unable to write /run/api: too many open files in this process (EMFILE); raise its limit (ulimit -n, LimitNOFILE=)',
    ],
    ['EIEIO', 'EIEIO: mkdir'],
  ])('%s is named with its cure', (code, text) => {
    expect(fileFailureText(failing(code, '/run/api'), 'set RUN_DIR')).toBe(text);
  });

  test('a socket has its path in another place', () => {
    const error = Object.assign(failing('EROFS'), { address: '/run/api/supervisor.sock' });
    expect(fileFailureText(error)).toBe(
      'unable to write /run/api/supervisor.sock: its file system is read-only (EROFS)',
    );
  });

  test('what has no path keeps its own words', () => {
    expect(fileFailureText(failing('EROFS'))).toBe('EROFS: mkdir');
  });
});
