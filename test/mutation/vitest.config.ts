import { defineConfig } from "vitest/config";

/**
 * For one run a mutant: the first test that fails is enough, no page is built, and one process runs all files, since
 * Stryker keeps the cores busy by itself.
 */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 15_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 1,
    isolate: false,
    bail: 1,
  },
});
