/** `yarn test:ship`: upgrades across the versions of Node; image and stack in a real container engine, units under a real systemd. */
module.exports = {
  ...require('./jest.config.js'),
  roots: ['<rootDir>/tests/ship'],
  testPathIgnorePatterns: ['/node_modules/'],
};
