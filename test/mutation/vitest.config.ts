import { defineConfig } from "vitest/config";

/** For one run a mutant: the first test that fails is enough, and no page is built. */
export default defineConfig({ test: { testTimeout: 15_000, hookTimeout: 60_000, pool: "forks", bail: 1 } });
