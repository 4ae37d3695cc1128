/** What every store's CallReads must do. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CallRow, CallVectors, Insights, Scope, Turn } from "../../src/core/call.ts";
import {
  type CallFilter,
  COUNT_LIMIT,
  type Keyset,
  NEWEST_FIRST,
  SORT_FIELDS,
  type Sort,
} from "../../src/core/list.ts";
import { documentText } from "../../src/core/call-document.ts";
import type { CallReads } from "../../src/ports/calls.ts";
import { AGENTS, compare, DAY, naiveList, passes, randomRows, T0, TEAMS } from "../support/call-rows.ts";

interface SeedCall {
  readonly row: CallRow;
  readonly turns: readonly Turn[];
  readonly insights: Insights | null;
  readonly vectors: CallVectors | null;
}

/** plain: as served. walking: tiny steps, so that several are needed. hurried: as walking, with no time at all. */
export type Pace = "plain" | "walking" | "hurried";

interface ReadsUnderTest {
  readonly reads: CallReads;
  close(): Promise<void>;
}

/** A fresh store that holds `calls` (with exactly their call_no) and the agents of `teams`. */
export type OpenReads = (
  calls: readonly SeedCall[],
  teams: Readonly<Record<string, string>>,
  pace: Pace,
) => Promise<ReadsUnderTest>;

const WORDS = ["price", "discount", "contract", "delivery", "support", "renewal", "trial", "invoice"];

function turnsOf(row: CallRow): Turn[] {
  const word = (i: number) => WORDS[(row.call_no * 7 + i * 3) % WORDS.length] as string;
  return Array.from({ length: 1 + (row.call_no % 3) }, (_, i) => ({
    turn_id: `t${i}`,
    speaker: i % 2 === 0 ? "agent" : "customer",
    text: `We talked about the ${word(i)} and ${word(i + 1)}s today`,
    start_ms: null,
    end_ms: null,
  }));
}

const bare = (row: CallRow): SeedCall => ({ row, turns: turnsOf(row), insights: null, vectors: null });

const VECTORS: CallVectors = {
  space_id: "space-a",
  turns: Int8Array.from({ length: 768 }, (_, i) => (i % 255) - 127),
  segments: [{ first_turn: 0, last_turn: 1, vector: Int8Array.from({ length: 384 }, (_, i) => (i % 100) - 50) }],
  call: Float32Array.from({ length: 384 }, (_, i) => Math.sin(i) / 20),
};

const scopes: fc.Arbitrary<Scope> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Scope>({ kind: "all" }) },
  fc.constantFrom<Scope>(...AGENTS.map((agent_id): Scope => ({ kind: "agent", agent_id }))),
  fc.constantFrom<Scope>(...["north", "south", "nowhere"].map((team): Scope => ({ kind: "team", team }))),
);
const sorts: fc.Arbitrary<Sort> = fc.record({ field: fc.constantFrom(...SORT_FIELDS), descending: fc.boolean() });
const day = fc.integer({ min: -2, max: 32 }).map((d) => T0 + d * DAY);
const second = fc.integer({ min: -1, max: 16 }).map((s) => s * 1_000);
const quarter = fc.integer({ min: -4, max: 4 }).map((q) => q / 4);
const share = fc.integer({ min: 0, max: 7 }).map((i) => i / 7);
const any = {
  agent_id: fc.constantFrom(...AGENTS, "nobody"),
  customer_id: fc.constantFrom("cu1", "cu2", "cu9"),
  language: fc.constantFrom("en", "de", "fr"),
  outcome: fc.constantFrom("won", "lost", "open"),
  state: fc.constantFrom("pending", "enriched", "degraded", "dead"),
  from_date: day,
  to_date: day,
  created_from: second.map((s) => T0 + DAY * 40 + s),
  created_to: second.map((s) => T0 + DAY * 40 + s),
  updated_since: second.map((s) => T0 + DAY * 41 + s),
  min_sentiment: quarter,
  max_sentiment: quarter,
  min_duration: fc.constantFrom(0, 60, 180),
  max_duration: fc.constantFrom(0, 120, 300),
  min_talk_ratio: share,
  max_talk_ratio: share,
};
const fields = Object.keys(any) as (keyof CallFilter)[];
/** Mostly few fields at a time: all at once would leave no rows. */
const filters: fc.Arbitrary<CallFilter> = fc
  .tuple(fc.subarray(fields, { maxLength: 4 }), fc.record(any))
  .map(([names, values]) => Object.fromEntries(names.map((n) => [n, values[n]])) as CallFilter);

type Drawn<A> = A extends fc.Arbitrary<infer T> ? T : never;

const ids = (rows: readonly CallRow[]) => rows.map((r) => r.call_no);

export function callReadsContract(name: string, open: OpenReads): void {
  describe(`CallReads: ${name}`, () => {
    const rows = randomRows(360, 7);
    const everyone: Scope = { kind: "all" };

    for (const pace of ["plain", "walking"] as const) {
      describe(pace, () => {
        let store: ReadsUnderTest;
        beforeAll(async () => {
          store = await open(rows.map(bare), TEAMS, pace);
        });
        afterAll(() => store.close());

        test("a page by offset is that slice of the naively filtered and sorted list", async () => {
          const queries = fc.record({
            scope: scopes,
            filter: filters,
            sort: sorts,
            limit: fc.integer({ min: 1, max: 100 }),
            offset: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })),
            total: fc.boolean(),
          });
          const check = async ({ scope, filter, sort, limit, offset, total }: Drawn<typeof queries>) => {
            const want = naiveList(rows, scope, filter, sort);
            const got = await store.reads.list({ scope, filter, sort, page: { limit, offset, after: null }, total });
            expect(got.rows).toEqual(want.slice(offset, offset + limit));
            expect(got.partial).toBe(false);
            expect(got.total).toBe(total ? want.length : null);
            expect(got.total_relation).toBe("eq");
            expect(got.next === null).toBe(offset + limit >= want.length);
          };
          await fc.assert(fc.asyncProperty(queries, check), { numRuns: 500 });
        });

        test("cursor pages put together are the list, without gap or double", async () => {
          const queries = fc.record({
            scope: scopes,
            filter: filters,
            sort: sorts,
            limit: fc.integer({ min: 3, max: 40 }),
          });
          const check = async ({ scope, filter, sort, limit }: Drawn<typeof queries>) => {
            const got: number[] = [];
            let after: Keyset | null = null;
            do {
              const list = await store.reads.list({
                scope,
                filter,
                sort,
                page: { limit, offset: 0, after },
                total: false,
              });
              got.push(...ids(list.rows));
              after = list.next;
            } while (after !== null);
            expect(got).toEqual(ids(naiveList(rows, scope, filter, sort)));
          };
          await fc.assert(fc.asyncProperty(queries, check), { numRuns: 150 });
        });

        test("a cursor may stand anywhere, also where no row is", async () => {
          const queries = fc.record({
            scope: scopes,
            filter: filters,
            sort: sorts,
            after: fc.record({
              value: fc.oneof(fc.constant(null), day, quarter, share, fc.constantFrom(0, 60, 90, 1e9)),
              call_no: fc.integer({ min: 0, max: 800 }),
            }),
          });
          const check = async ({ scope, filter, sort, after }: Drawn<typeof queries>) => {
            // NULL is no value of a column that has none.
            fc.pre(after.value !== null || !["start_time", "created_at", "updated_at"].includes(sort.field));
            const key = (r: CallRow): Keyset => ({ value: r[sort.field], call_no: r.call_no });
            const rest = naiveList(rows, scope, filter, sort).filter((r) => compare(sort, key(r), after) > 0);
            const got = await store.reads.list({
              scope,
              filter,
              sort,
              page: { limit: 20, offset: 0, after },
              total: true,
            });
            expect(ids(got.rows)).toEqual(ids(rest.slice(0, 20)));
            expect(got.total).toBe(naiveList(rows, scope, filter, sort).length);
          };
          await fc.assert(fc.asyncProperty(queries, check), { numRuns: 200 });
        });

        test("numbers are those of the matching calls, ascending, cut at the limit", async () => {
          const queries = fc.record({ scope: scopes, filter: filters, limit: fc.integer({ min: 0, max: 400 }) });
          const check = async ({ scope, filter, limit }: Drawn<typeof queries>) => {
            const want = ids(rows.filter((r) => passes(r, scope, filter))).slice(0, limit);
            expect([...(await store.reads.numbers({ scope, filter, limit }))]).toEqual(want);
          };
          await fc.assert(fc.asyncProperty(queries, check), { numRuns: 150 });
        });

        test("keyword finds exactly the turns with all the words, under scope and filters, best first", async () => {
          const queries = fc.record({
            scope: scopes,
            filter: filters,
            words: fc.subarray(WORDS, { minLength: 1, maxLength: 2 }),
          });
          const check = async ({ scope, filter, words }: Drawn<typeof queries>) => {
            const hits = await store.reads.keyword({ scope, filter, text: words.join(" "), limit: 2_000 });
            const want = rows
              .filter((r) => passes(r, scope, filter))
              .flatMap((r) =>
                turnsOf(r).flatMap((t, i) => (words.every((w) => t.text.includes(w)) ? [`${r.call_no}/${i}`] : [])),
              );
            expect(hits.map((h) => `${h.call_no}/${h.turn_index}`).toSorted()).toEqual(want.toSorted());
            for (const [i, hit] of hits.entries())
              expect(hit.score).toBeLessThanOrEqual(hits[i - 1]?.score ?? Infinity);
          };
          await fc.assert(fc.asyncProperty(queries, check), { numRuns: 80 });
        });
      });
    }

    describe("hurried", () => {
      let store: ReadsUnderTest;
      beforeAll(async () => {
        store = await open(rows.map(bare), TEAMS, "hurried");
      });
      afterAll(() => store.close());

      test("partial pages say so, and following them reaches every row once", async () => {
        let partial = 0;
        const check = async (scope: Scope, filter: CallFilter, sort: Sort) => {
          const want = naiveList(rows, scope, filter, sort);
          const got: number[] = [];
          let after: Keyset | null = null;
          do {
            const list = await store.reads.list({
              scope,
              filter,
              sort,
              page: { limit: 10, offset: 0, after },
              total: true,
            });
            got.push(...ids(list.rows));
            if (list.partial) {
              partial++;
              expect(list.rows.length).toBeLessThan(10);
              expect(list.next).not.toBeNull();
            }
            if (list.total_relation === "eq") expect(list.total).toBe(want.length);
            else expect(list.total).toBeLessThanOrEqual(want.length);
            after = list.next;
          } while (after !== null);
          expect(got).toEqual(ids(want));
        };
        await fc.assert(fc.asyncProperty(scopes, filters, sorts, check), { numRuns: 60 });
        expect(partial).toBeGreaterThan(0);
      });
    });

    describe("by key", () => {
      let store: ReadsUnderTest;
      const [first, second] = rows as [CallRow, CallRow];
      const made = { method: "model", model: "m", version: "1", computed_at: T0 } as const;
      const measures: Partial<Insights["measures"]> = { agent_talk_ratio: 0.5, silence_count: null };
      const insights: Insights = {
        measures: measures as Insights["measures"],
        reasons: { silence_count: "the transcript has no timings" },
        turn_sentiment: [0.25, null],
        provenance: { sentiment: made, conversation: { ...made, method: "formula" }, embedding: null },
      };
      const calls: SeedCall[] = [
        { row: { ...first, agent_id: "ana" }, turns: turnsOf(first), insights, vectors: VECTORS },
        { row: { ...second, agent_id: "cleo" }, turns: turnsOf(second), insights: null, vectors: null },
      ];
      beforeAll(async () => {
        store = await open(calls, TEAMS, "plain");
      });
      afterAll(() => store.close());

      test("get gives row, turns and insights, parsed and as the document", async () => {
        for (const call of calls) {
          const got = await store.reads.get(call.row.call_id, everyone);
          expect(got?.row).toEqual(call.row);
          expect(got?.turns).toEqual(call.turns);
          expect(got?.insights).toEqual(call.insights);
          const stored = got?.document?.toString("utf8") ?? null;
          expect(stored).toBe(call.insights && documentText({ turns: call.turns, insights: call.insights }, true));
          expect(await store.reads.row(call.row.call_id, everyone)).toEqual(call.row);
        }
        expect(await store.reads.get("no such call", everyone)).toBeNull();
        expect(await store.reads.row("no such call", everyone)).toBeNull();
      });

      test("a call outside the scope is not there", async () => {
        const { reads } = store;
        const seen = async (scope: Scope) => {
          const found: string[] = [];
          for (const { row } of calls) {
            const whole = await reads.get(row.call_id, scope);
            expect((await reads.row(row.call_id, scope)) === null).toBe(whole === null);
            if (whole !== null) found.push(whole.row.agent_id);
          }
          const listed = await reads.rows(
            calls.map((c) => c.row.call_no),
            scope,
          );
          expect(listed.map((r) => r.agent_id)).toEqual(found);
          return found;
        };
        expect(await seen({ kind: "agent", agent_id: "cleo" })).toEqual(["cleo"]);
        expect(await seen({ kind: "agent", agent_id: "dev" })).toEqual([]);
        expect(await seen({ kind: "team", team: "north" })).toEqual(["ana"]);
        expect(await seen({ kind: "team", team: "south" })).toEqual(["cleo"]);
        expect(await seen(everyone)).toEqual(["ana", "cleo"]);
      });

      test("rows and texts keep the order asked and leave unknown ones out", async () => {
        const asked = [second.call_no, 999_999, first.call_no];
        expect(ids(await store.reads.rows(asked, everyone))).toEqual([second.call_no, first.call_no]);
        const texts = await store.reads.texts(asked);
        expect(texts.map((t) => t.turns)).toEqual([turnsOf(second), turnsOf(first)]);
      });

      test("vectors come back as they were stored", async () => {
        const got = await store.reads.vectors([second.call_no, first.call_no]);
        expect(got).toEqual([{ call_no: first.call_no, vectors: VECTORS }]);
        const { space_id, call } = VECTORS;
        expect(await store.reads.callVector(first.call_no)).toEqual({ space_id, call });
        expect(await store.reads.callVector(second.call_no)).toBeNull();
      });

      test("keyword stems, knows no query language and survives any text", async () => {
        const { reads } = store;
        const search = (text: string) => reads.keyword({ scope: everyone, filter: {}, text, limit: 50 });
        const word = WORDS.find((w) => turnsOf(first)[0]?.text.includes(w)) as string;
        const singular = await search(word);
        expect(singular.length).toBeGreaterThan(0);
        expect(await search(`${word}s`)).toEqual(singular);
        expect(await search(`${word.toUpperCase()}!`)).toEqual(singular);
        expect(await search(`${word} OR nonsense`)).toEqual([]);
        expect(await search("text:*")).toEqual([]);
        expect(await search("\"'()*^-+:{}")).toEqual([]);
        await fc.assert(
          fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
            expect(await search(text)).toBeInstanceOf(Array);
          }),
        );
      });
    });

    test("totals are exact to the limit and at least it beyond", async () => {
      const many: CallRow[] = randomRows(COUNT_LIMIT + 60, 3).map((row, i) =>
        Object.assign(row, { agent_id: "ana", language: i < COUNT_LIMIT ? "en" : "de" }),
      );
      const calls = many.map((row): SeedCall => ({ row, turns: [], insights: null, vectors: null }));
      const store = await open(calls, {}, "plain");
      const total = async (filter: CallFilter) => {
        const page = { limit: 1, offset: 0, after: null };
        const list = await store.reads.list({ scope: everyone, filter, sort: NEWEST_FIRST, page, total: true });
        return [list.total, list.total_relation];
      };
      expect(await total({})).toEqual([COUNT_LIMIT, "gte"]);
      expect(await total({ agent_id: "ana" })).toEqual([COUNT_LIMIT, "gte"]);
      expect(await total({ language: "en" })).toEqual([COUNT_LIMIT, "eq"]);
      expect(await total({ language: "de", agent_id: "ana" })).toEqual([60, "eq"]);
      const banded = naiveList(many, everyone, { agent_id: "ana", min_sentiment: 0 }, NEWEST_FIRST).length;
      expect(await total({ agent_id: "ana", min_sentiment: 0 })).toEqual([banded, "eq"]);
      const page = { limit: 3, offset: COUNT_LIMIT - 1, after: null };
      const deep = await store.reads.list({ scope: everyone, filter: {}, sort: NEWEST_FIRST, page, total: false });
      expect(ids(deep.rows)).toEqual(
        ids(naiveList(many, everyone, {}, NEWEST_FIRST).slice(COUNT_LIMIT - 1, COUNT_LIMIT + 2)),
      );
      await store.close();
    });
  });
}
