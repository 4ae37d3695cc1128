import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongFirst } from "./test/support/long-first.ts";

// Tests start some hundred processes of Earshot; what Node made of the sources once, the next one reads.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, ".cache/compiled");

/** Floods a server until it is late: on a core that others use the clients are late too, and it never is. */
const NEEDS_THE_MACHINE = ["test/e2e/http-overload.test.ts"];

export default defineConfig({
  test: {
    globalSetup: ["test/support/build-page.ts", "test/support/run-servers.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Native addons with their own threads (onnxruntime, better-sqlite3) want processes, not vitest threads.
    pool: "forks",
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        // A file for every core: vitest would keep one core for itself, half of a machine that has two.
        test: {
          name: "side by side",
          include: ["test/**/*.test.ts"],
          exclude: NEEDS_THE_MACHINE,
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: NEEDS_THE_MACHINE, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
