import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { type LiveAlert, NO_ALERTS } from "../../src/core/live-alerts.ts";
import { startLive } from "../../src/core/live-measures.ts";
import type { LiveStart, NewTurn, ScoredTurns } from "../../src/ports/live-calls.ts";
import { type MakeStore, type TestStore, aCall } from "../support/sqlite-store.ts";

const LIMITS = { turns: 20, text_bytes: 1_000 };
const KEY = { account_id: "ann", key: "k1", fingerprint: "f1" };

const aStart = (call_id: string, more: Partial<LiveStart> = {}): LiveStart => ({
  call_id,
  agent_id: "ann",
  customer_id: "carl",
  language: "en",
  start_time: 1_000,
  digest: "aa",
  state: startLive("en"),
  alert_state: NO_ALERTS,
  ...more,
});
const turn = (text: string, turn_id: string | null = null): NewTurn => ({
  turn_id,
  speaker: "customer",
  text,
  start_ms: null,
  end_ms: null,
});
const ALERT: LiveAlert = {
  rule_id: "long_silence",
  severity: "low",
  text: "Nothing has been said.",
  evidence: [1, 0],
  expected: { measure: "silence_ms", low: null, high: 1, source: "default", text: "less" },
  observed: { value: 2, text: "2" },
};

/** Holds a LiveCalls adapter to the port. */
export function liveCallsContract(name: string, make: MakeStore): void {
  describe(`LiveCalls: ${name}`, () => {
    let store: TestStore;
    beforeEach(async () => {
      store = await make();
    });
    afterEach(() => store.close());

    const append = (call_id: string, ...turns: NewTurn[]) => store.live.append(call_id, turns, LIMITS);
    const types = async () =>
      (await store.events.after(0, 100, EVERYTHING)).events.map((event) => `${event.type} ${event.call_id}`);
    const score = async (call_id: string, sentiment: number, more: Partial<ScoredTurns> = {}) => {
      const row = await store.live.row(call_id, EVERYTHING);
      if (row === null) throw new Error(`${call_id} is not there`);
      const turns = await store.live.turnsAfter(row.live_no, row.scored, 100);
      return store.live.saveScores({
        live_no: row.live_no,
        version: row.version,
        scored: row.position,
        scores: turns.map(({ turn_index, position }) => ({
          turn_index,
          position,
          sentiment,
          method: "model",
          live_sentiment: sentiment / 2,
        })),
        state: { ...row.state, turns: row.turns },
        alert_state: NO_ALERTS,
        alerts: [],
        ...more,
      });
    };

    it("starts a call once, and tells a repeat from another call", async () => {
      expect(await store.live.start(aStart("a"))).toEqual({ status: "started" });
      expect(await store.live.start(aStart("a"))).toEqual({ status: "replayed" });
      expect(await store.live.start(aStart("a", { digest: "bb" }))).toEqual({ status: "conflict" });
      await store.calls.accept([aCall("b")], 1);
      expect(await store.live.start(aStart("b"))).toEqual({ status: "conflict" });
      expect(await types()).toEqual(["live.started a", "call.accepted b"]);
    });

    it("keeps the id of a call that goes on from stored calls", async () => {
      await store.live.start(aStart("a"));
      const results = await store.calls.accept([aCall("a"), aCall("b")], 1);
      expect(results.map((r) => r.status)).toEqual(["conflict", "accepted"]);
      expect(await store.calls.replace(aCall("a"), 1)).toEqual({ status: "conflict" });
      expect(await store.state("a")).toBeNull();
    });

    it("gives an id to a call that goes on or to a stored one, however close they come", async () => {
      const ids = Array.from({ length: 40 }, (_, i) => `race ${i}`);
      const outcomes = await Promise.all(
        ids.map(async (id, i) => {
          const early = i % 2 === 0 ? store.live.start(aStart(id)) : null;
          const accepting = store.calls.accept([aCall(id)], 1);
          const [started, [accepted]] = await Promise.all([early ?? store.live.start(aStart(id)), accepting]);
          return `${started.status} ${accepted?.status}`;
        }),
      );
      for (const outcome of outcomes) expect(["started conflict", "conflict accepted"]).toContain(outcome);
    });

    it("appends, corrects and recognises turns, in dense positions", async () => {
      await store.live.start(aStart("a"));
      expect(await append("a", turn("one"), turn("two", "t1"), turn("three", "mine"))).toEqual({
        status: "appended",
        turns: [
          { turn_id: "t1_2", turn_index: 0, status: "appended" },
          { turn_id: "t1", turn_index: 1, status: "appended" },
          { turn_id: "mine", turn_index: 2, status: "appended" },
        ],
      });
      expect(await append("a", turn("three", "mine"), turn("TWO", "t1"), turn("four"))).toEqual({
        status: "appended",
        turns: [
          { turn_id: "mine", turn_index: 2, status: "unchanged" },
          { turn_id: "t1", turn_index: 1, status: "corrected" },
          { turn_id: "t4", turn_index: 3, status: "appended" },
        ],
      });
      const found = await store.live.get("a", EVERYTHING);
      expect(found?.turns.map((t) => [t.text, t.position])).toEqual([
        ["one", 1],
        ["TWO", 4],
        ["three", 3],
        ["four", 5],
      ]);
      expect(found?.row).toMatchObject({ turns: 4, position: 5, scored: 0, last_turn_at: store.clock.now });
    });

    it("keeps the order of what is appended side by side", async () => {
      await store.live.start(aStart("a"));
      const batches = Array.from({ length: 10 }, (_, i) => append("a", turn(`${i} first`), turn(`${i} second`)));
      const answers = await Promise.all(batches);
      const found = await store.live.get("a", EVERYTHING);
      expect(found?.turns.map((t) => [t.turn_index, t.position])).toEqual(
        Array.from({ length: 20 }, (_, i) => [i, i + 1]),
      );
      for (const [i, answer] of answers.entries()) {
        const at = answer.status === "appended" ? answer.turns.map((t) => t.turn_index) : [];
        expect(at.map((k) => found?.turns[k]?.text)).toEqual([`${i} first`, `${i} second`]);
      }
    });

    it("writes nothing of an append that goes beyond a limit, and says where there is no call", async () => {
      await store.live.start(aStart("a"));
      expect(await append("a", ...Array.from({ length: 21 }, () => turn("x")))).toEqual({ status: "too_many" });
      expect(await append("a", turn("x"), turn("é".repeat(500)))).toEqual({ status: "too_long" });
      expect(await store.live.get("a", EVERYTHING)).toMatchObject({ row: { position: 0 }, turns: [] });
      expect(await append("a", turn("é".repeat(500), "big"))).toMatchObject({ status: "appended" });
      // A correction counts for what it puts in the place of the other.
      expect(await append("a", turn("short", "big"), turn("é".repeat(497)))).toMatchObject({ status: "appended" });
      expect(await append("b", turn("x"))).toEqual({ status: "not_found" });
      await store.calls.accept([aCall("b")], 1);
      expect(await append("b", turn("x"))).toEqual({ status: "ended" });
    });

    it("saves sentiments once, with an event for each version that still stands", async () => {
      await store.live.start(aStart("a"));
      await append("a", turn("one", "x"), turn("two"));
      const before = await store.live.row("a", EVERYTHING);
      await append("a", turn("ONE", "x"));
      const old = { turn_index: 0, position: 1, sentiment: 0.1, method: "model", live_sentiment: 0.1 } as const;
      const kept = { ...old, turn_index: 1, position: 2 };
      expect(await score("a", 0, { scored: 2, scores: [old, kept], alerts: [ALERT] })).toBe("saved");
      expect(await score("a", 0.25, { version: before?.version ?? -1 })).toBe("stale");
      expect(await score("a", 0.5)).toBe("saved");
      const { events } = await store.events.after(1, 100, EVERYTHING);
      expect(events).toMatchObject([
        { type: "live.turn", turn_index: 1, position: 2, turn_sentiment: 0.1, live_sentiment: 0.1, evidence: null },
        { type: "live.alert", rule_id: "long_silence", evidence: [1, 0], position: 2 },
        { type: "live.turn", turn_index: 0, position: 3, turn_sentiment: 0.5, live_sentiment: 0.25 },
      ]);
      const found = await store.live.get("a", EVERYTHING);
      expect(found?.turns.map((t) => [t.sentiment, t.method])).toEqual([
        [0.5, "model"],
        [0.1, "model"],
      ]);
      expect(found?.row).toMatchObject({ scored: 3, alerts: [{ ...ALERT, position: 2 }], state: { turns: 2 } });
    });

    it("makes a stored call of a live one in one transaction, unless turns came since", async () => {
      await store.live.start(aStart("a"));
      await append("a", turn("hello"));
      const call = aCall("a", {}, ["hello"]);
      expect(await store.live.end({ call_id: "a", position: 0, call })).toEqual({ status: "moved" });
      expect(await store.live.end({ call_id: "a", position: 1, call })).toMatchObject({ status: "ended", revision: 1 });
      expect(await store.live.end({ call_id: "a", position: 1, call })).toMatchObject({ status: "replayed" });
      expect(await store.live.end({ call_id: "z", position: 1, call })).toEqual({ status: "not_found" });
      expect(await types()).toEqual(["live.started a", "call.accepted a", "live.ended a"]);
      expect(await store.words("a")).toEqual(["hello"]);
      expect(await store.live.list(EVERYTHING, 10)).toEqual([]);
      const [item] = await store.work.take(10, "w", 1_000);
      expect(item).toMatchObject({ call_id: "a", priority: 0 });
    });

    it("counts each correction as a change of the text that is stored", async () => {
      await store.live.start(aStart("a"));
      await append("a", turn("one", "x"), turn("two"));
      await append("a", turn("ONE", "x"), turn("TWO", "t2"));
      const call = aCall("a", {}, ["ONE", "TWO"]);
      expect(await store.live.end({ call_id: "a", position: 4, call })).toMatchObject({ status: "ended", revision: 3 });
      const [item] = await store.work.take(10, "w", 1_000);
      expect(item).toMatchObject({ call_id: "a", revision: 3 });
      const { events } = await store.events.after(1, 100, EVERYTHING);
      expect(events.map((e) => [e.type, e.revision])).toEqual([
        ["call.accepted", 3],
        ["live.ended", 3],
      ]);
    });

    it("leaves nothing of a call on which nothing was said, and ends an idle one only while it is", async () => {
      await store.live.start(aStart("a"));
      const { now } = store.clock;
      expect(await store.live.end({ call_id: "a", position: 0, call: null, idle_before: now })).toEqual({
        status: "moved",
      });
      expect(await store.live.idle(now, 10)).toEqual([]);
      expect(await store.live.idle(now + 1, 10)).toEqual(["a"]);
      expect(await store.live.end({ call_id: "a", position: 0, call: null, idle_before: now + 1 })).toEqual({
        status: "removed",
      });
      expect(await types()).toEqual(["live.started a", "live.ended a"]);
      expect(await store.state("a")).toBeNull();
    });

    it("lists what has no sentiment yet", async () => {
      await store.live.start(aStart("a"));
      await append("a", turn("one"));
      const { now } = store.clock;
      expect(await store.live.unscored(now, 10)).toEqual([]);
      expect(await store.live.unscored(now + 1, 10)).toEqual(["a"]);
      await score("a", 0.5);
      expect(await store.live.unscored(now + 1, 10)).toEqual([]);
    });

    it("shows an asker only the calls of its scope", async () => {
      await store.calls.accept([aCall("old", { agent_id: "bob" })], 1);
      await store.setTeam("bob", "north");
      await store.live.start(aStart("a"));
      await store.live.start(aStart("b", { agent_id: "bob" }));
      const seen = async (scope: Parameters<typeof store.live.list>[0]) =>
        (await store.live.list(scope, 10)).map((row) => row.call_id);
      expect(await seen(EVERYTHING)).toEqual(["b", "a"]);
      expect(await seen({ kind: "agent", agent_id: "ann" })).toEqual(["a"]);
      expect(await seen({ kind: "team", team: "north" })).toEqual(["b"]);
      expect(await store.live.get("b", { kind: "agent", agent_id: "ann" })).toBeNull();
      expect(await store.live.get("b", { kind: "team", team: "north" })).not.toBeNull();
    });

    it("is erased by its id within the scope, and with its customer", async () => {
      for (const id of ["a", "b", "c"]) {
        await store.live.start(aStart(id, { customer_id: id === "c" ? "zoe" : "carl" }));
        await append(id, turn("secret words"));
      }
      expect(await store.calls.remove("a", { kind: "agent", agent_id: "bob" })).toBe(false);
      expect(await store.calls.remove("a", EVERYTHING)).toBe(true);
      await store.calls.accept([aCall("d")], 1);
      expect(await store.calls.erase("carl")).toBe(2);
      expect((await store.live.list(EVERYTHING, 10)).map((row) => row.call_id)).toEqual(["c"]);
      const { events } = await store.events.after(3, 100, EVERYTHING);
      const gone = events.filter((e) => e.type === "call.deleted").map((e) => `${e.call_id} ${e.reason}`);
      expect(gone).toEqual(["a request", "d customer", "b customer"]);
    });

    it("takes effect once under a request key", async () => {
      let replays = 0;
      const under = (key: string) =>
        store.idempotency.under({ ...KEY, key }, () => {
          replays++;
        }).live;
      expect(await under("s").start(aStart("a"))).toEqual({ status: "started" });
      expect(await under("s").start(aStart("made anew"))).toEqual({ call_id: "a", status: "started" });
      const first = await under("t").append("a", [turn("one")], LIMITS);
      expect(await under("t").append("a", [turn("one")], LIMITS)).toEqual(first);
      const end = { call_id: "a", position: 1, call: aCall("a", {}, ["one"]) };
      const ended = await under("e").end(end);
      expect(await under("e").end({ ...end, position: 0, call: null })).toEqual(ended);
      expect(replays).toBe(3);
      expect(await store.words("a")).toEqual(["one"]);
    });
  });
}
