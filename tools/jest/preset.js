import { fileURLToPath, URL } from 'node:url';

/** One jest configuration for every package: ESM, TypeScript through swc, sources without a build. */
export default {
  testEnvironment: fileURLToPath(new URL('./environment.js', import.meta.url)),
  testEnvironmentOptions: { customExportConditions: ['@dynaprompt/source', 'node', 'node-addons'] },
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      fileURLToPath(new URL('./transform.js', import.meta.url)),
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  // Of CommonJS packages, for the reason that the transformer gives.
  sandboxInjectedGlobals: ['Array', 'Float32Array', 'Math', 'Object'],
  // Not a promise of speed: machines are shared, and a test that hangs has to end.
  testTimeout: 120_000,
  maxWorkers: 2,
  passWithNoTests: true,
};
