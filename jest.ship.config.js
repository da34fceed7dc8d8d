/** `yarn test:ship`: the image, built and run by a real engine. */
module.exports = {
  ...require('./jest.config.js'),
  roots: ['<rootDir>/tests/ship'],
  testPathIgnorePatterns: ['/node_modules/'],
};
