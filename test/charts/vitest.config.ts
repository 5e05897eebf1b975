import { defineConfig } from 'vitest/config';

const MINUTE_MS = 60_000;

/** Apart from the tests' own, so that `make test` has no part in it; what fails is not tried again. */
export default defineConfig({
  test: {
    name: 'charts',
    include: ['test/charts/**/*.test.ts'],
    reporters: ['default', './test/reporter.ts'],
    testTimeout: 15 * MINUTE_MS,
    // What the charts install is built first, where no earlier run has left it.
    hookTimeout: 45 * MINUTE_MS,
    fileParallelism: false,
  },
});
