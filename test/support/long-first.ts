/** The order of test files: what takes longest begins first, so that no core waits for one file at the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files of ten seconds or more, the longest first. Without a run before, vitest would go by their size in bytes. */
const LONG = [
  "test/e2e/faults-kill.test.ts",
  "test/e2e/several-processes.test.ts",
  "test/browser/dashboard.test.ts",
  "test/e2e/worker-poison.test.ts",
  "test/e2e/readme.test.ts",
  "test/contract/models.onnx.test.ts",
  "test/contract/topics.kafka.test.ts",
  "test/e2e/fuzz.test.ts",
  "test/e2e/command-line.test.ts",
  "test/e2e/backup.test.ts",
  "test/e2e/serve.test.ts",
  "test/e2e/faults-postgres.test.ts",
  "test/e2e/faults-move.test.ts",
  "test/contract/move.postgres.test.ts",
  "test/contract/work-machine.postgres.test.ts",
  "test/contract/call-reads.postgres.test.ts",
  "test/e2e/faults-kafka.test.ts",
  "test/contract/points.pgvector.test.ts",
  "test/contract/vectors.pgvector.test.ts",
  "test/e2e/pgvector.test.ts",
  "test/e2e/faults-store.test.ts",
  "test/e2e/faults-streams.test.ts",
  "test/e2e/replica.test.ts",
  "test/e2e/faults-replica.test.ts",
  "test/e2e/faults-restart.test.ts",
  "test/contract/stream.redis-faults.test.ts",
  "test/e2e/faults-lake.test.ts",
  "test/contract/lake.s3.test.ts",
  "test/e2e/lake.test.ts",
  "test/contract/redis-cluster.test.ts",
  "test/contract/dispatch.redis.test.ts",
];

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's method of that name, which leaves its argument alone
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}

function place({ moduleId }: TestSpecification): number {
  const at = LONG.findIndex((path) => moduleId.endsWith(path));
  return at < 0 ? LONG.length : at;
}
