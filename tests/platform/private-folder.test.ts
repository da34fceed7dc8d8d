import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultOf, isSameFolder, makePrivateFolder } from '../../src/platform/private-folder.js';

let at: string;
beforeEach(() => {
  at = mkdtempSync(join(tmpdir(), 'private-folder-'));
});
afterEach(() => {
  chmodSync(at, 0o700);
  rmSync(at, { recursive: true });
});

/** A folder inside {@link at} with exactly this mode. */
function made(name: string, mode: number): string {
  const folder = join(at, name);
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
}

describe('faultOf', () => {
  test.each([
    ['closed', 0o700],
    ['read-only', 0o700],
    ['read-only', 0o755],
  ] as const)('a folder that should be %s may have mode %i', (privacy, mode) => {
    expect(faultOf(made('run', mode), privacy)).toBeUndefined();
  });

  test.each([
    ['closed', 0o750, 'is open to other users'],
    ['read-only', 0o757, 'is writable by other users'],
    ['read-only', 0o1777, 'is writable by other users'],
  ] as const)('a folder that should be %s must not have mode %i', (privacy, mode, fault) => {
    const folder = made('run', mode);
    expect(faultOf(folder, privacy)).toBe(`${folder} ${fault}`);
  });

  test('a link, even to a private folder, is a fault', () => {
    const link = join(at, 'link');
    symlinkSync(made('run', 0o700), link);
    expect(faultOf(link, 'read-only')).toBe(`${link} is a symbolic link`);
    expect(faultOf(link, 'closed')).toBe(`${link} is a symbolic link`);
  });

  test('a file is a fault', () => {
    const file = join(at, 'file');
    writeFileSync(file, '');
    expect(faultOf(file, 'closed')).toBe(`${file} is not a folder`);
  });

  test('a folder that does not exist has no fault', () => {
    expect(faultOf(join(at, 'run'), 'closed')).toBeUndefined();
    expect(faultOf(join(at, 'run'), 'read-only')).toBeUndefined();
  });

  test('a folder below one that others can write to is a fault, unless only owners remove files there', () => {
    const open = made('open', 0o777);
    const fault = `${open} is writable by other users`;
    expect(faultOf(join(open, 'a', 'run'), 'read-only')).toBe(fault);
    chmodSync(open, 0o1777);
    expect(faultOf(join(open, 'a', 'run'), 'read-only')).toBeUndefined();
  });

  test('what a link above leads to counts as well', () => {
    const open = made('open', 0o777);
    mkdirSync(join(open, 'inner'), { mode: 0o700 });
    symlinkSync(join(open, 'inner'), join(at, 'current'));
    expect(faultOf(join(at, 'current', 'run'), 'read-only')).toBe(`${open} is writable by other users`);
  });
});

// Only root can give files to other users.
(process.getuid?.() === 0 ? describe : describe.skip)('as root', () => {
  test('a folder of another user, or below one, is a fault', () => {
    const theirs = made('theirs', 0o755);
    chownSync(theirs, 12_345, 12_345);
    expect(faultOf(theirs, 'closed')).toBe(`${theirs} belongs to user 12345`);
    expect(faultOf(join(theirs, 'run'), 'read-only')).toBe(`${theirs} belongs to user 12345`);
  });

  test('a folder that its group can write to is a fault', () => {
    const shared = made('shared', 0o770);
    expect(faultOf(shared, 'read-only')).toBeUndefined();
    chownSync(shared, 0, 12_345);
    expect(faultOf(shared, 'read-only')).toBe(`${shared} is writable by other users`);
  });
});

describe('makePrivateFolder', () => {
  test('makes every missing folder for this user alone, under any umask', () => {
    const umask = process.umask(0);
    try {
      makePrivateFolder(join(at, 'a', 'b'), 'read-only');
    } finally {
      process.umask(umask);
    }
    expect(statSync(join(at, 'a')).mode & 0o777).toBe(0o700);
    expect(statSync(join(at, 'a', 'b')).mode & 0o777).toBe(0o700);
  });

  test('keeps the mode of a folder that exists', () => {
    makePrivateFolder(made('run', 0o750), 'read-only');
    expect(statSync(join(at, 'run')).mode & 0o777).toBe(0o750);
  });

  test('throws for a folder that is not private', () => {
    expect(() => makePrivateFolder(made('run', 0o777), 'closed')).toThrow(/run is open to other users$/);
  });

  test('fails at once where the system makes no folders', () => {
    expect(() => makePrivateFolder('/proc/run/a', 'closed')).toThrow(/ENOENT|EACCES|EPERM/);
  });

  test('tells the folder that it made from another one in its place', () => {
    const folder = join(at, 'run');
    const first = makePrivateFolder(folder, 'closed');
    expect(isSameFolder(folder, first)).toBe(true);
    const other = join(at, 'other');
    renameSync(folder, other);
    expect(isSameFolder(folder, first)).toBe(false);
    mkdirSync(folder);
    expect(isSameFolder(folder, first)).toBe(false);
    rmSync(folder, { recursive: true });
    symlinkSync(other, folder);
    expect(isSameFolder(folder, first)).toBe(false);
  });
});
