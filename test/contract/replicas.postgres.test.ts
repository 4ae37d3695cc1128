/** A streaming replica that lags by seconds: whoever has written, or heard of it, never reads what was before. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Database } from "../../src/adapters/sql/postgres/database.ts";
import { formatPosition, parsePosition } from "../../src/adapters/sql/postgres/position.ts";
import { Replicas } from "../../src/adapters/sql/postgres/replicas.ts";
import type { Store } from "../../src/adapters/sql/store.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { NEWEST_FIRST } from "../../src/core/list.ts";
import { ask, type PostgresServer, startPostgres, startReplica, stopPostgres } from "../support/postgres-server.ts";
import { openQuietPostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { aCall, enriched, someVectors } from "../support/sqlite-store.ts";

test("positions are numbers that grow", () => {
  expect(parsePosition("0/0")).toBe(0n);
  expect(parsePosition("16/B374D848")).toBe(0x16b374d848n);
  for (const text of ["0/0", "16/B374D848"]) expect(formatPosition(parsePosition(text) as bigint)).toBe(text);
  expect(parsePosition("1/00000000")).toBeGreaterThan(parsePosition("0/FFFFFFFF") as bigint);
  for (const text of ["", "16", "16/", "16/xyz", "123456789/0"]) expect(parsePosition(text)).toBeNull();
});

const ids = async (from: Store) => {
  const page = { limit: 50, offset: 0, after: null };
  const { rows } = await from.reads.list({ scope: EVERYTHING, filter: {}, sort: NEWEST_FIRST, page, total: false });
  return rows.map((row) => row.call_id).toSorted();
};

describe.skipIf(requirement("postgres") === null)("a replica", () => {
  let folder: string;
  let primary: PostgresServer;
  let replica: PostgresServer;
  let store: Store;
  let other: Store;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "earshot-replica-"));
    chmodSync(folder, 0o755);
    primary = await startPostgres(join(folder, "primary"));
    await ask(primary.url("postgres"), "CREATE DATABASE earshot");
    store = await openQuietPostgres(primary.url("earshot"));
    replica = await startReplica(join(folder, "replica"), primary);
    await store.close();
    const replicas = [replica.url("earshot")];
    store = await openQuietPostgres(primary.url("earshot"), { replicas });
    other = await openQuietPostgres(primary.url("earshot"), { replicas });
  }, 60_000);
  afterAll(async () => {
    await store.close();
    await other.close();
    stopPostgres(join(folder, "replica"));
    stopPostgres(join(folder, "primary"));
    rmSync(folder, { recursive: true, force: true });
  });

  const lag = async (ms: number) => {
    await ask(replica.url("postgres"), `ALTER SYSTEM SET recovery_min_apply_delay = ${ms}`);
    await ask(replica.url("postgres"), "SELECT pg_reload_conf()");
    await expect
      .poll(
        async () =>
          (
            await ask<{ v: string }>(
              replica.url("postgres"),
              "SELECT setting AS v FROM pg_settings WHERE name = 'recovery_min_apply_delay'",
            )
          )[0]?.v,
      )
      .toBe(String(ms));
  };
  const caughtUp = async () => {
    const [row] = await ask<{ at: string }>(primary.url("earshot"), "SELECT pg_current_wal_insert_lsn()::text AS at");
    await expect
      .poll(
        async () => {
          const sql = "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS there";
          return (await ask<{ there: boolean }>(replica.url("earshot"), sql, [row?.at]))[0]?.there;
        },
        { timeout: 20_000 },
      )
      .toBe(true);
  };

  test("five seconds behind: a writer reads its own writes, and who heard of them too", async () => {
    await store.calls.accept([aCall("a")], 1);
    await caughtUp();
    expect(await ids(store)).toEqual(["a"]);
    await lag(5_000);
    const heard = new Promise<void>((resolve) => other.events.onChange(resolve));
    await store.calls.accept([aCall("b", {}, ["tremendous"])], 1);
    expect(await ids(store)).toEqual(["a", "b"]);
    expect((await store.reads.get("b", EVERYTHING))?.turns).toHaveLength(1);
    await heard;
    expect(await ids(other)).toEqual(["a", "b"]);
    const items = await other.work.take(2, "w", 60_000);
    expect(await other.reads.texts(items.map((item) => item.call_no))).toHaveLength(2);
    const vectors = someVectors(1);
    await other.calls.saveEnrichment(items.map((item) => enriched(item, "w", { vectors })));
    expect((await other.vectorRows.scan("call", "space", 0, 10)).call_no).toHaveLength(2);
    expect(await other.reads.keyword({ scope: EVERYTHING, filter: {}, text: "tremendous", limit: 5 })).toHaveLength(1);
    const [sum] = await other.rollups.agents({ scope: EVERYTHING, measures: ["customer_sentiment_score"] });
    expect(sum?.measures.customer_sentiment_score?.n).toBe(2);
    // All of that came from the primary: the replica has none of it yet.
    expect(await ask(replica.url("earshot"), "SELECT call_id FROM call_records")).toEqual([{ call_id: "a" }]);
    await lag(0);
    await caughtUp();
    expect(await ids(store)).toEqual(["a", "b"]);
  }, 60_000);

  test("reads go to a replica that has come far enough, and to the primary while it has not, or is away", async () => {
    const db = new Database({ url: primary.url("earshot"), pool: 2 });
    const second = new Database({ url: replica.url("earshot"), pool: 2 });
    const reads = new Replicas(db, [second]);
    const port = async () => (await reads.get<{ port: number }>("SELECT inet_server_port() AS port"))?.port;
    try {
      await lag(0);
      await caughtUp();
      expect(await port()).toBe(replica.port);
      await lag(5_000);
      await ask(primary.url("earshot"), "CREATE TABLE later (n integer)");
      const [now] = await ask<{ at: string }>(primary.url("earshot"), "SELECT pg_current_wal_insert_lsn()::text AS at");
      // Whoever brings the position of a write through another process, and nobody else.
      expect(await reads.during(now?.at ?? "", port)).toBe(primary.port);
      expect(await port()).toBe(replica.port);
      expect(await reads.during("no position", port)).toBe(replica.port);
      replica.stop("immediate");
      expect(await port()).toBe(primary.port);
      await replica.start();
      await expect.poll(port, { timeout: 10_000 }).toBe(replica.port);
    } finally {
      await lag(0);
      await reads.close();
      await db.close();
    }
  }, 60_000);
});
