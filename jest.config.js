/** The supervisor's pure core: its tests reach every line and branch. */
const CORE = 'src/supervisor/core/**/*.ts';

const swc = syntax => [
  '@swc/jest',
  {
    jsc: { target: 'es2023', parser: { syntax } },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];

/** Tests run on the sources through swc; types are checked by `yarn check`, processes run from `dist`. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/tests', '<rootDir>/examples'],
  resolver: '<rootDir>/examples/resolver.cjs',
  // `yarn test:ecosystem` and `yarn test:ship` run these.
  testPathIgnorePatterns: ['/node_modules/', '/tests/(ecosystem|ship|hosts)/'],
  transform: {
    '^.+\\.ts$': swc('typescript'),
    // The live page's modules are for browsers.
    '/src/live/page/.+\\.js$': swc('ecmascript'),
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // For `jest --coverage tests/supervisor/core --testPathIgnorePatterns random-lives transcripts`: remove a line that no event reaches.
  collectCoverageFrom: [CORE],
  coverageReporters: ['text'],
  coverageThreshold: { [CORE]: { statements: 100, branches: 100, functions: 100, lines: 100 } },
  reporters: ['default', '<rootDir>/scripts/plain-reporter.cjs'],
  // More process tests at a time would slow each other down on a small machine.
  maxWorkers: 2,
};
