/** `yarn test:ship`: upgrades across the versions of Node; the image and the stack, run by a real container engine. */
module.exports = {
  ...require('./jest.config.js'),
  roots: ['<rootDir>/tests/ship'],
  testPathIgnorePatterns: ['/node_modules/'],
};
