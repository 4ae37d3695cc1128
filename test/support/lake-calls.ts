/** A store whose calls are enriched as a test says, and what its lake holds. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { filesUnder } from "../../src/adapters/lake/folder.ts";
import type { Objects } from "../../src/adapters/lake/objects.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";
import type { AcceptedCall } from "../../src/core/call.ts";
import { aCall, enriched, someInsights } from "./sqlite-store.ts";

const LEASE_MS = 60_000;

/** Accepts a call and saves these measures of it; calls that waited get them too. */
export async function enrichedCall(
  store: Pick<SqliteStore, "calls" | "work">,
  call_id: string,
  more: Partial<AcceptedCall> & { sentiment?: number; talk?: number; texts?: string[] } = {},
): Promise<void> {
  const { sentiment = 0.5, talk = 0.25, texts, ...fields } = more;
  await store.calls.accept([aCall(call_id, fields, texts)], 1);
  await enrichAll(store, { sentiment, talk });
}

/** Saves these measures for every call that waits. */
export async function enrichAll(
  store: Pick<SqliteStore, "calls" | "work">,
  { sentiment = 0.5, talk = 0.25 } = {},
): Promise<void> {
  for (;;) {
    const items = await store.work.take(100, "worker", LEASE_MS);
    if (items.length === 0) return;
    const insights = {
      ...someInsights({ customer_sentiment_score: sentiment, agent_talk_ratio: talk }),
      turn_sentiment: [null, sentiment],
    };
    await store.calls.saveEnrichment(items.map((item) => enriched(item, "worker", { insights })));
  }
}

/**
 * All that any file at the lake's place or in `folders` here says, whether a manifest names it or not: bytes, and Parquet
 * as JSON.
 */
export async function everythingIn(objects: Objects, folders: readonly string[] = []): Promise<string> {
  const names = await objects.list("");
  for (const name of names) await objects.fetch(name);
  const paths = names.map((name) => join(objects.folder, name));
  for (const folder of folders) paths.push(...(await filesUnder(folder, "")).map((name) => join(folder, name)));
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    let all = "";
    for (const path of paths) {
      all += `${path}\n${readFileSync(path).toString("latin1")}\n`;
      if (!path.endsWith(".parquet")) continue;
      const rows = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`);
      all += JSON.stringify(rows.getRowsJson());
    }
    return all;
  } finally {
    connection.closeSync();
    instance.closeSync();
    await objects.forget(names);
  }
}
