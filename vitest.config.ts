import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/build-page.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Native addons with their own threads (onnxruntime, better-sqlite3) want processes, not vitest threads.
    pool: "forks",
  },
});
