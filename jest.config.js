const { overrides } = require('./.oxlintrc.json');

/** The supervisor's pure core: what the lint rule keeps pure is what its tests cover without a gap. */
const [PURE] = overrides.find(({ rules }) => 'no-restricted-imports' in rules).files;

/** Tests run on the sources through swc; types are checked by `yarn check`, processes run from `dist`. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/tests'],
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
  // `jest --coverage tests/supervisor --testPathIgnorePatterns lives stories properties`: a line of the core that no event can reach has to go.
  collectCoverageFrom: [PURE],
  coverageReporters: ['text'],
  coverageThreshold: { [PURE]: { statements: 100, branches: 100, functions: 100, lines: 100 } },
  reporters: ['default', '<rootDir>/scripts/plain-reporter.cjs'],
  // Two at a time: tests of processes would otherwise starve each other on a small machine.
  maxWorkers: 2,
};
