import type { InvalidValue } from '../../../src/errors.js';
import { sentence } from '../../../src/errors.js';
import { findUser, mayChangeUser } from '../../../src/platform/users.js';
import { resolveUser, type Accounts, type ResolvedUser } from '../../../src/supervisor/app-file/run-as.js';

const resolve = (accounts: Partial<Accounts>): ResolvedUser & { readonly problems: readonly string[] } => {
  const problems: InvalidValue[] = [];
  const resolved = resolveUser({ uid: undefined, gid: undefined, ...accounts }, problems);
  return { ...resolved, problems: problems.map(sentence) };
};

const UNCHANGED = { runAs: undefined, variables: {} };

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

test('without uid and gid nothing changes', () => {
  expect(resolve({})).toEqual({ ...UNCHANGED, problems: [] });
});

test('the user that runs the supervisor needs no rights', () => {
  expect(resolve(own)).toEqual({ ...UNCHANGED, problems: [] });
});

test.each([
  [{ gid: 0 }, 'gid must be given together with uid, got 0'],
  [{ uid: 'no-such-user' }, 'uid must be the name of a user in /etc/passwd, or a number, got "no-such-user"'],
  [{ uid: 1_987_654_321 }, 'gid must be given where /etc/passwd does not list the uid, got nothing'],
  [
    { uid: 0, gid: 'no-such-group' },
    'gid must be the name of a group in /etc/group, or a number, got "no-such-group"',
  ],
])('%j is refused', (accounts, problem) => {
  expect(resolve(accounts)).toEqual({ ...UNCHANGED, problems: [problem] });
});

// Only root may change users.
(mayChangeUser() ? describe : describe.skip)('as root', () => {
  test('a user is found by name and by number, with group, home and name', () => {
    const nobody = findUser('nobody');
    if (nobody === undefined) throw new Error('this system has no user nobody');
    const { uid, gid, home } = nobody;
    const resolved = {
      runAs: { uid, gid },
      variables: { HOME: home, USER: 'nobody', LOGNAME: 'nobody' },
      problems: [],
    };
    expect(resolve({ uid: 'nobody' })).toEqual(resolved);
    expect(resolve({ uid })).toEqual(resolved);
    expect(resolve({ uid: String(uid), gid: 12_345 })).toEqual({ ...resolved, runAs: { uid, gid: 12_345 } });
  });

  test('a user that is not listed needs a group', () => {
    expect(resolve({ uid: 12_345, gid: 12_346 })).toEqual({
      runAs: { uid: 12_345, gid: 12_346 },
      variables: { HOME: '/', USER: '12345', LOGNAME: '12345' },
      problems: [],
    });
  });
});
