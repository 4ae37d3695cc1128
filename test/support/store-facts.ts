/** What a store shows of all that it holds, through its ports: equal for two stores that hold the same. */
import { hash } from "node:crypto";
import type { Store } from "../../src/adapters/sql/store.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import { MEASURE_NAMES } from "../../src/core/measures.ts";

const LIMIT = 100_000;

export interface FactsAsked {
  readonly words: readonly string[];
  readonly space_id: string;
  readonly jobs: number;
  readonly bookmarks: readonly string[];
}

export async function storeFacts(store: Store, { words, space_id, jobs, bookmarks }: FactsAsked): Promise<object> {
  const { reads } = store;
  const { events, oldest, head } = await store.events.after(0, LIMIT, EVERYTHING);
  const call_nos = await reads.numbers({ scope: EVERYTHING, filter: {}, limit: LIMIT });
  const texts = await reads.texts([...call_nos]);
  const live = await store.live.list(EVERYTHING, LIMIT);
  const sums = await store.rollups.agents({ scope: EVERYTHING, measures: MEASURE_NAMES });
  const found = await Promise.all(
    words.map(async (text) => {
      const hits = await reads.keyword({ scope: EVERYTHING, text, filter: {}, limit: LIMIT });
      // Each engine ranks in its own way.
      return hits.map((hit) => `${hit.call_no} ${hit.turn_index}`).toSorted();
    }),
  );
  const facts = {
    events,
    oldest,
    head,
    // A document is made of these.
    calls: byNumber(texts.map(({ row, turns, insights }) => ({ call_no: row.call_no, row, turns, insights }))),
    vectors: byNumber(await reads.vectors([...call_nos])),
    codes: await store.vectorRows.scan("call", space_id, 0, LIMIT),
    segments: await store.vectorRows.scan("segment", space_id, 0, LIMIT),
    found,
    sums: sums.toSorted((a, b) => (a.agent_id < b.agent_id ? -1 : 1)),
    team: await reads.numbers({ scope: { kind: "team", team: "north" }, filter: {}, limit: LIMIT }),
    depth: { ...(await store.work.depth()), oldest_ms: 0 },
    dead: await store.work.dead(LIMIT, EVERYTHING),
    live: await Promise.all(live.map(({ call_id }) => store.live.get(call_id, EVERYTHING))),
    keys: await store.accounts.list("key"),
    users: await store.accounts.list("user"),
    jobs: await store.jobs.recent(jobs),
    bookmarks: await Promise.all(bookmarks.map((name) => store.jobs.bookmark(name))),
  };
  return JSON.parse(
    JSON.stringify(facts, (_, value: unknown) => (ArrayBuffer.isView(value) ? digest(value) : value)),
  ) as object;
}

function byNumber<T extends { readonly call_no: number }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => a.call_no - b.call_no);
}

function digest({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return hash("sha256", new Uint8Array(buffer, byteOffset, byteLength));
}
