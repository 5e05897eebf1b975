import { defineConfig } from 'vitest/config';

/**
 * Real kernels on two shared cores: what fails is tried once more, and the report names it as retried.
 * A defect fails twice.
 */
const RETRY = 1;

/** A gVisor sandbox, a real cluster in it, and a chart: minutes, on two cores. */
const SANDBOX_TIMEOUT_MS = 15 * 60_000;

/** A flood beside other tests: a gateway that gets no processor drops everybody's datagrams. */
const LOAD = 'test/native/load.test.ts';

// The projects run one after the other: what shares two cores with a cluster says little of itself.
export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], sequence: { groupOrder: 0 } } },
      // Its servers are silent, slow or down on purpose, and clients wait before they ask again.
      {
        test: {
          name: 'supply',
          include: ['test/supply/**/*.test.ts'],
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
          retry: RETRY,
        },
      },
      {
        test: {
          name: 'native',
          sequence: { groupOrder: 2 },
          retry: RETRY,
          include: ['test/native/**/*.test.ts'],
          exclude: [LOAD],
          globalSetup: ['test/native/build.ts'],
          testTimeout: SANDBOX_TIMEOUT_MS,
          hookTimeout: SANDBOX_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: 'load',
          sequence: { groupOrder: 3 },
          retry: RETRY,
          include: [LOAD],
          globalSetup: ['test/native/build.ts'],
          testTimeout: SANDBOX_TIMEOUT_MS,
          hookTimeout: SANDBOX_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: 'e2e',
          sequence: { groupOrder: 4 },
          retry: RETRY,
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: SANDBOX_TIMEOUT_MS,
          hookTimeout: SANDBOX_TIMEOUT_MS,
          // Sandboxes compete for two cores; one cluster at a time keeps deadlines honest.
          fileParallelism: false,
        },
      },
    ],
  },
});
