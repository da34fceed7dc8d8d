/** The supervisor's pure core: its tests reach every line and branch. */
const CORE = 'src/supervisor/core/**/*.ts';

/** Tests run on the sources through swc; types are checked by `yarn check`, processes run from `dist`. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/tests'],
  // Their packages are installed by `yarn test:ecosystem`, which runs them.
  testPathIgnorePatterns: ['/node_modules/', '/tests/ecosystem/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // `jest --coverage tests/supervisor/core --testPathIgnorePatterns lives stories`: a line that no event can reach has to go.
  collectCoverageFrom: [CORE],
  coverageReporters: ['text'],
  coverageThreshold: { [CORE]: { statements: 100, branches: 100, functions: 100, lines: 100 } },
  reporters: ['default', '<rootDir>/scripts/plain-reporter.cjs'],
  // Two at a time: tests of processes would otherwise starve each other on a small machine.
  maxWorkers: 2,
};
