'use strict';

/** What the output of npx and Yarn shows of a cause, and what to do about it; the first that fits. */
const CAUSES = /** @type {const} */ ([
  [
    /\b(?:ENOSPC|EDQUOT)\b/,
    'Installing failed: the disk is full. Free some space in this folder and in the home folder, where Yarn keeps its cache.',
  ],
  [
    /\b(?:EACCES|EPERM|EROFS)\b/,
    'Installing failed: this user cannot write to node_modules or to the cache in the home folder, see above.',
  ],
  [
    /\bYN0028\b/,
    'Installing failed: yarn.lock does not fit package.json, which was edited. Run "node scripts/yarn.cjs install", and commit yarn.lock.',
  ],
  [
    /\b(?:YN0035|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b|network timeout|npx did not get Yarn/,
    'Installing failed. The package registry must be reachable once; afterwards no network is needed.',
  ],
]);

/**
 * One sentence that tells disk, permissions, lockfile and registry apart.
 * @param {string} output
 */
const installFailure = output =>
  CAUSES.find(([pattern]) => pattern.test(output))?.[1] ?? 'Installing failed, see above.';

module.exports = { installFailure };
