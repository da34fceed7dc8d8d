/** `yarn test:unit`: the tests that start no service, for the seconds between two edits. */
module.exports = {
  ...require('./jest.config.js'),
  testPathIgnorePatterns: ['/tests/(processes|parity|soak|ecosystem)/', '/tests/scripts\\.test\\.ts$'],
};
