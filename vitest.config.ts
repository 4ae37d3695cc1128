import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongFirst } from "./test/support/long-first.ts";

// Tests start some hundred processes of Earshot; what Node made of the sources once, the next one reads.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, ".cache/compiled");

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/build-page.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Native addons with their own threads (onnxruntime, better-sqlite3) want processes, not vitest threads.
    pool: "forks",
    // A file for every core: vitest would keep one core for itself, half of a machine that has two.
    maxWorkers: "100%",
    sequence: { sequencer: LongFirst },
  },
});
