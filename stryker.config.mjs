/**
 * Mutation tests of what must not be wrong by one: keys of repeated requests, leases, sums. One group a run, so that
 * each has to reach the threshold by itself. Stryker is no dependency: its 165 packages would be installed by everybody
 * for a command that few run, so `npm run test:mutation` has npx fetch the version it was tried with.
 */
const GROUPS = {
  idempotency: {
    mutate: ["src/adapters/sql/write-once.ts", "src/services/once.ts"],
    tests: ["test/contract/once.sqlite.test.ts", "test/contract/idempotency.sqlite.test.ts"],
  },
  leases: {
    mutate: ["src/adapters/sql/write-work.ts", "src/adapters/sql/work.ts", "src/worker/leases.ts"],
    // Not the state machine of work, which takes longer than all of these.
    tests: ["test/contract/work.sqlite.test.ts", "test/contract/work-steps.sqlite.test.ts", "test/e2e/leases.test.ts"],
  },
  rollups: {
    mutate: [
      "src/adapters/sql/rollup-sums.ts",
      "src/adapters/sql/sum-buckets.ts",
      "src/adapters/sql/rollups.ts",
      "src/adapters/sql/write-rollups.ts",
    ],
    tests: [
      "test/contract/rollups.sqlite.test.ts",
      "test/contract/rollups-rebuild.sqlite.test.ts",
      "test/contract/rollups-read.sqlite.test.ts",
    ],
  },
};

const name = process.env.EARSHOT_TEST_GROUP ?? "";
const group = GROUPS[name];
if (!group) throw new Error(`EARSHOT_TEST_GROUP must be one of ${Object.keys(GROUPS).join(", ")}`);

export default {
  mutate: group.mutate,
  testRunner: "command",
  // Every test starts threads of its store: half of a run's time would go into reading their modules.
  commandRunner: {
    command: `NODE_COMPILE_CACHE=.cache/modules vitest run --config test/mutation/vitest.config.ts ${group.tests.join(" ")}`,
  },
  plugins: [],
  // It cannot read the configuration of TypeScript 7, and needs none: types are only stripped.
  tsconfigFile: "none.json",
  disableTypeChecks: false,
  concurrency: 2,
  // Long, since a mutant that is merely slow on a busy machine would count as found.
  timeoutMS: 60_000,
  tempDirName: ".cache/mutation",
  ignorePatterns: [".cache", "web", "bench", "dist", "data"],
  reporters: ["clear-text", "progress-append-only", "json"],
  clearTextReporter: { logTests: false, reportTests: false },
  jsonReporter: { fileName: `.cache/mutation-${name}.json` },
  thresholds: { high: 90, low: 80, break: 80 },
};
