/** `yarn test:unit`: the tests that start no service; they take less than a minute. */
module.exports = {
  ...require('./jest.config.js'),
  testPathIgnorePatterns: ['/tests/(processes|parity|soak|ecosystem|ship)/', '/tests/scripts\\.test\\.ts$'],
};
