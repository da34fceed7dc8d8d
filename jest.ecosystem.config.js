/** `yarn test:ecosystem`: the build with packages that Express applications commonly use. */
module.exports = {
  ...require('./jest.config.js'),
  roots: ['<rootDir>/tests/ecosystem'],
  testPathIgnorePatterns: ['/node_modules/'],
};
