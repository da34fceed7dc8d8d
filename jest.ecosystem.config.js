/** `yarn test:ecosystem`: the built product with the ordinary packages of the Express world. */
module.exports = {
  ...require('./jest.config.js'),
  roots: ['<rootDir>/tests/ecosystem'],
  testPathIgnorePatterns: ['/node_modules/'],
};
