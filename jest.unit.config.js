/** `yarn test:unit`: the tests that start no service; they take a minute or two. */
module.exports = {
  ...require('./jest.config.js'),
  testPathIgnorePatterns: [
    '/tests/(processes|parity|soak|ecosystem|ship)/',
    '/tests/hardening/(faults|fuzz)\\.test\\.ts$',
    '/tests/scripts\\.test\\.ts$',
  ],
};
