import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { folderObjects } from "../../src/adapters/lake/folder.ts";
import { openLake } from "../../src/adapters/lake/open.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { writeLake } from "../../src/services/lake-writer.ts";
import { enrichedCall, everythingIn } from "../support/lake-calls.ts";
import { freshPostgres } from "../support/postgres-suite.ts";
import { temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";
import { aCall } from "../support/sqlite-store.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => {
  test("the lake is filled from PostgreSQL and follows it", async () => {
    const { path, cleanup } = await temporaryFolder();
    const folder = join(path, "lake");
    const postgres = await freshPostgres();
    const { store } = postgres;
    const lake = await openLake({
      place: { kind: "folder", path: folder },
      cacheFolder: path,
      timezone: "UTC",
      now: Date.now,
    });
    const terms = { log_id: "log", timezone: "UTC", text: false };
    /** Events get their seq after the commit: they may not be there at once. */
    const becomes = (...ids: string[]) =>
      vi.waitFor(async () => {
        await writeLake({ ...store, lake, terms });
        const { rows } = await lake.query("SELECT call_id FROM calls ORDER BY call_id");
        expect(rows.map(([id]) => id)).toEqual(ids);
      });
    try {
      for (const id of ["a", "b", "c", "d"]) await enrichedCall(store, id, { customer_id: `customer-of-${id}.` });
      await becomes("a", "b", "c", "d");
      await enrichedCall(store, "e");
      await store.calls.replace(aCall("a", { digest: "cd".repeat(32) }, ["new", "words"]), 1);
      await store.calls.erase("customer-of-b.");
      await store.calls.remove("c", EVERYTHING);
      await becomes("d", "e");
      expect(/customer-of-[bc]\./.test(await everythingIn(folderObjects(folder)))).toBe(false);
      expect(await lake.check()).toEqual([]);
    } finally {
      await lake.close();
      await postgres.remove();
      await cleanup();
    }
  });
});
