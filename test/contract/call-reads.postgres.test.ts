import { describe } from "vitest";
import type { ReadLimits } from "../../src/adapters/sql/postgres/read-list.ts";
import { insertCalls } from "../support/postgres-calls.ts";
import { freshDatabase } from "../support/postgres-server.ts";
import { openQuietPostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { callReadsContract, type Pace } from "./call-reads.contract.ts";

/** walking: the planner gets no time, so that every list is walked; hurried: nor does the walk. */
const PACES: Record<Pace, Partial<ReadLimits>> = {
  plain: {},
  walking: { step: 60, page_ms: 0, walk_ms: 20_000 },
  hurried: { step: 9, page_ms: 0, walk_ms: 0 },
};

describe.skipIf(requirement("postgres") === null)("with a server", () => {
  callReadsContract("postgres", async (calls, teams, pace) => {
    const { url, drop } = await freshDatabase();
    await insertCalls(url, calls, teams);
    const store = await openQuietPostgres(url, { limits: PACES[pace] });
    return {
      reads: store.reads,
      async close() {
        await store.close();
        await drop();
      },
    };
  });
});
