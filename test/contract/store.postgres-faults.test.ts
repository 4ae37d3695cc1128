/** A server that goes away and comes back: a server of this file's own. */
import { mkdtempSync, chmodSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Store } from "../../src/adapters/sql/store.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { ask, type PostgresServer, startPostgres, stopPostgres } from "../support/postgres-server.ts";
import { openQuietPostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { aCall, enriched } from "../support/sqlite-store.ts";

describe.skipIf(requirement("postgres") === null)("a PostgreSQL that goes away", () => {
  let folder: string;
  let server: PostgresServer;
  let store: Store;
  let other: Store;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "earshot-server-"));
    chmodSync(folder, 0o755);
    server = await startPostgres(join(folder, "postgres"));
    await ask(server.url("postgres"), "CREATE DATABASE earshot");
    store = await openQuietPostgres(server.url("earshot"));
    other = await openQuietPostgres(server.url("earshot"));
  });
  afterAll(async () => {
    await store.close();
    await other.close();
    stopPostgres(join(folder, "postgres"));
    rmSync(folder, { recursive: true, force: true });
  });

  const away = { code: "store_unavailable", retryAfter: 2 };

  test.each(["fast", "immediate"] as const)(
    "stopped (%s): refused at once, nothing acknowledged is lost, back by itself",
    async (mode) => {
      const before = `before ${mode}`;
      await store.calls.accept([aCall(before)], 1);
      const [item] = await store.work.take(1, "w", 600_000);
      if (!item) throw new Error("no work");
      server.stop(mode);
      const began = performance.now();
      await expect(store.calls.accept([aCall(`lost ${mode}`)], 1)).rejects.toMatchObject(away);
      await expect(store.calls.replace(aCall(before), 1)).rejects.toMatchObject(away);
      await expect(store.reads.get(before, EVERYTHING)).rejects.toMatchObject(away);
      await expect(store.reads.numbers({ scope: EVERYTHING, filter: {}, limit: 9 })).rejects.toMatchObject(away);
      await expect(store.work.take(1, "w", 1_000)).rejects.toMatchObject(away);
      await expect(store.events.after(0, 1, EVERYTHING)).rejects.toMatchObject(away);
      await expect(openQuietPostgres(server.url("earshot"))).rejects.toMatchObject(away);
      expect(performance.now() - began).toBeLessThan(2_000);

      await server.start();
      expect(await store.reads.get(before, EVERYTHING)).not.toBeNull();
      expect((await store.reads.get(item.call_id, EVERYTHING))?.row.state).toBe("running");
      expect(await store.reads.get(`lost ${mode}`, EVERYTHING)).toBeNull();
      expect(await store.calls.saveEnrichment([enriched(item, "w")])).toEqual(["saved"]);
      // The other process listens again.
      let heard = 0;
      const stop = other.events.onChange(() => heard++);
      await store.calls.accept([aCall(`after ${mode}`)], 1);
      await expect.poll(() => heard, { timeout: 10_000 }).toBeGreaterThan(0);
      stop();
      expect(await store.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
      const { events, head } = await other.events.after(0, 100, EVERYTHING);
      expect(events.map((event) => event.seq)).toEqual(Array.from({ length: head }, (_, i) => i + 1));
    },
    60_000,
  );

  test("connections that are cut in the middle of a write: an error that is worth a retry, and the next goes through", async () => {
    const writes = Array.from({ length: 30 }, async (_, i) => store.calls.accept([aCall(`cut ${i}`)], 1));
    const cut = ask(
      server.url("postgres"),
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'earshot'",
    );
    const settled = await Promise.allSettled(writes);
    await cut;
    for (const one of settled)
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "store_unavailable" });
    const again = await Promise.all(Array.from({ length: 30 }, (_, i) => store.calls.accept([aCall(`cut ${i}`)], 1)));
    expect(again.flat().every(({ status }) => status === "accepted" || status === "replayed")).toBe(true);
    for (const [i, one] of settled.entries())
      if (one.status === "fulfilled") expect(again[i]).toMatchObject([{ status: "replayed" }]);
  });
});
