/** Why installing failed, in one sentence; the outputs are those of npx and Yarn 4. */
const { installFailure } = require('../scripts/install-failure.cjs') as {
  readonly installFailure: (output: string) => string;
};

test.each([
  [
    '➤ YN0028: │ The lockfile would have been modified by this install',
    /^Installing failed: yarn\.lock does not fit/,
  ],
  ['➤ YN0001: │ Error: ENOSPC: no space left on device, write', /^Installing failed: the disk is full/],
  [
    "➤ YN0001: │ Error: EACCES: permission denied, mkdir 'node_modules'",
    /^Installing failed: this user cannot write/,
  ],
  [
    '➤ YN0001: │ RequestError: getaddrinfo ENOTFOUND registry.example',
    /The package registry must be reachable once/,
  ],
  ['npm error code ECONNREFUSED\nnpx did not get Yarn', /The package registry must be reachable once/],
  ['➤ YN0009: │ esbuild could not be built', /^Installing failed, see above\.$/],
])('%s', (output, sentence) => {
  expect(installFailure(output)).toMatch(sentence);
});
