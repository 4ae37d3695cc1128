import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openTopicHistory } from "../../src/adapters/kafka/history.ts";
import { openTopicIn } from "../../src/adapters/kafka/topic-in.ts";
import { openTopicOut } from "../../src/adapters/kafka/topic-out.ts";
import { EVERYTHING } from "../../src/core/call.ts";
import type { EventMessage } from "../../src/core/event-message.ts";
import type { TopicIn, TopicOut } from "../../src/ports/topics.ts";
import { createBulkReader } from "../../src/services/bulk-reader.ts";
import { startExport } from "../../src/services/export-events.ts";
import { type MessageResult, startTopicImport } from "../../src/services/import-topic.ts";
import { rebuildFromTopic } from "../../src/services/rebuild-from-topic.ts";
import { readEvents, readTopic, serversAt, writeTopic } from "../support/kafka-topics.ts";
import { type MakeStore, type TestStore, aCall, enriched, someInsights } from "../support/sqlite-store.ts";

const SOON = { timeout: 20_000, interval: 50 };
const log_id = randomUUID();
const line = (call_id: string, text = "hello there") => ({ call_id, transcript: `Agent: ${text}\nCustomer: good day` });

const pointersOf = (headers: Readonly<Record<string, string>>) =>
  (JSON.parse(headers["earshot-errors"] ?? "[]") as { pointer: string }[]).map(({ pointer }) => pointer);
const drained = (one: { backlog(): Promise<number> }) =>
  vi.waitFor(async () => expect(await one.backlog()).toBe(0), SOON);

/** Holds a store of an engine, together with a real broker, to what goes out and comes in by topics. */
export function topicsContract(name: string, make: MakeStore, broker: () => string): void {
  describe(`topics: ${name}`, () => {
    let store: TestStore;
    let topic: string;
    let stopping: { stop(): Promise<void> }[];
    beforeEach(async () => {
      store = await make();
      topic = `t-${randomUUID()}`;
      stopping = [];
    });
    afterEach(async () => {
      await Promise.all(stopping.map((one) => one.stop()));
      await store.close();
    });

    const exporter = (more: { topic?: TopicOut; now?: () => number; owner?: string } = {}) => {
      const started = startExport({
        ...store,
        topic: openTopicOut({ servers: serversAt(broker()), topic }),
        bookmark: "export",
        log_id,
        owner: randomUUID(),
        now: Date.now,
        random: () => 0.5,
        onChange: () => undefined,
        onGap: () => undefined,
        onSent: () => undefined,
        ...more,
      });
      stopping.push(started);
      return started;
    };
    const importer = (more: { topic?: TopicIn; deadLetters?: TopicOut } = {}) => {
      const results: MessageResult[] = [];
      const started = startTopicImport({
        ...store,
        topic: openTopicIn({ servers: serversAt(broker()), topic, group: `g-${topic}` }),
        topicName: topic,
        deadLetters: openTopicOut({ servers: serversAt(broker()), topic: `${topic}.dead` }),
        bulks: createBulkReader(),
        now: Date.now,
        random: () => 0.5,
        onChange: () => undefined,
        onJump: () => undefined,
        onStored: (some) => results.push(...some),
        ...more,
      });
      stopping.push(started);
      return { ...started, results };
    };
    const enrichAll = async () => {
      for (const item of await store.work.take(1_000, "w", 60_000)) {
        const insights = someInsights({ customer_sentiment_score: 0.25, agent_words: item.call_no });
        await store.calls.saveEnrichment([enriched(item, "w", { insights })]);
      }
    };
    const dead = () => readTopic(broker(), `${topic}.dead`).catch(() => []);

    test("every event of the log is in the topic once, in order for its call, with what sums are made of", async () => {
      await store.calls.accept([aCall("a"), aCall("b", { start_time: 5 })], 1);
      const out = exporter();
      await enrichAll();
      await store.calls.replace(aCall("b", { start_time: 7, digest: "cd".repeat(32) }), 1);
      await drained(out);
      await store.calls.remove("a", EVERYTHING);
      await drained(out);
      const events = (await readEvents(broker(), topic)).toSorted((x, y) => x.seq - y.seq);
      expect(events.map(({ seq, type, call_id }) => [seq, type, call_id])).toEqual([
        [1, "call.accepted", "a"],
        [2, "call.accepted", "b"],
        [3, "call.enriched", "a"],
        [4, "call.enriched", "b"],
        [5, "call.replaced", "b"],
        [6, "call.deleted", "a"],
      ]);
      expect(events[2]).toMatchObject({
        log_id,
        start_time: "2026-03-10T12:00:00.000Z",
        measures: { customer_sentiment_score: 0.25, agent_words: 1 },
      });
      expect(events[4]).toMatchObject({ start_time: "1970-01-01T00:00:00.007Z", measures: null });
      expect(events[5]).toMatchObject({ reason: "request", start_time: null, measures: null });
      expect(JSON.stringify(events)).not.toMatch(/hello there|good day|carl/);
    });

    test("figures counted from the topic alone are those of the store, to the last millionth", async () => {
      const out = exporter();
      const starts = [0, 1, 30, 31, 95].map((hours) => Date.UTC(2026, 2, 7, hours, 30));
      const calls = starts.flatMap((start_time, i) =>
        ["ann", "bob"].map((agent_id) => aCall(`${agent_id}${i}`, { agent_id, start_time })),
      );
      await store.calls.accept(calls, 1);
      await enrichAll();
      await drained(out);
      await store.calls.replace(aCall("ann0", { agent_id: "cid", digest: "cd".repeat(32) }), 1);
      await enrichAll();
      await store.calls.accept([aCall("new"), aCall("gone")], 1);
      for (const call_id of ["bob1", "gone"]) await store.calls.remove(call_id, EVERYTHING);
      await drained(out);
      const history = openTopicHistory({ servers: serversAt(broker()), topic });
      const compare = () => rebuildFromTopic({ ...store, history, log_id, timezone: "UTC" });
      const { hours, days, counts, head, compared, differences } = await compare();
      expect({ differences, counts }).toMatchObject({ differences: [], counts: { first: 1, last: head, missing: 0 } });
      expect(compared).toBeGreaterThan(300);
      expect([...days.keys()].toSorted((x, y) => (x < y ? -1 : 1))).toEqual(["2026-03-07", "2026-03-08", "2026-03-10"]);
      expect(hours.get("2026-03-08T06:00:00Z")?.get("ann")?.calls).toBe(1);
      // What the topic does not know shows.
      await out.stop();
      await store.calls.remove("bob4", EVERYTHING);
      expect((await compare()).differences).toContainEqual({
        period: "all",
        agent_id: "bob",
        measure: "calls",
        topic: 4,
        store: 3,
      });
      await history.close();
    });

    test("of several processes one sends; another goes on where it stops", async () => {
      const first = exporter();
      const second = exporter();
      await store.calls.accept([aCall("a")], 1);
      await drained(first);
      await first.stop();
      await store.calls.accept([aCall("b")], 1);
      await drained(second);
      const seqs = (await readEvents(broker(), topic)).map(({ seq }) => seq);
      expect(seqs.toSorted((x, y) => x - y)).toEqual([1, 2]);
    });

    test("a process that comes back after its time was over repeats events, and leaves none out or out of order", async () => {
      await store.calls.accept(
        Array.from({ length: 30 }, (_, i) => aCall(`c${i}`)),
        2,
      );
      const out = openTopicOut({ servers: serversAt(broker()), topic });
      const sending = Promise.withResolvers<void>();
      const going = Promise.withResolvers<void>();
      const slow: TopicOut = {
        async send(messages) {
          sending.resolve();
          await going.promise;
          await out.send(messages);
        },
        close: () => out.close(),
      };
      const old = exporter({ topic: slow });
      await sending.promise;
      // Another process whose clock says that the first one has not been heard of for long.
      const next = exporter({ now: () => Date.now() + 15_000 });
      await drained(next);
      going.resolve();
      await store.calls.accept([aCall("last")], 1);
      await drained(next);
      await old.stop();
      const messages = await readTopic(broker(), topic);
      expect(messages.length).toBeGreaterThanOrEqual(61);
      const seqs = messages.map(({ part, value }) => ({
        part,
        seq: (JSON.parse(value.toString()) as EventMessage).seq,
      }));
      const firsts = [...Map.groupBy(seqs, ({ seq }) => seq).values()].map(([first]) => first);
      expect(firsts.map((first) => first?.seq).toSorted((x = 0, y = 0) => x - y)).toEqual(
        Array.from({ length: 31 }, (_, i) => i + 1),
      );
      for (const some of Map.groupBy(firsts, (first) => first?.part).values()) {
        const own = some.map((first) => first?.seq ?? 0);
        expect(own).toEqual(own.toSorted((x, y) => x - y));
      }
    });

    test("calls come in once each; what cannot be stored goes to the dead letters with the field", async () => {
      const maybe = { call_id: "b", transcript: "Agent: hello", outcome: "maybe" };
      await store.calls.accept([aCall("taken")], 1);
      await writeTopic(broker(), topic, [line("a"), "{", maybe, line("taken"), line("a"), line("c")]);
      const { results } = importer();
      await vi.waitFor(() => expect(results).toHaveLength(6), SOON);
      expect(results.toSorted()).toEqual(["accepted", "accepted", "conflict", "rejected", "rejected", "replayed"]);
      const letters = await vi.waitFor(async () => {
        const found = await dead();
        expect(found).toHaveLength(3);
        return found;
      }, SOON);
      const said = letters.map(({ value, headers }) => [
        value.toString(),
        headers["earshot-status"],
        pointersOf(headers),
      ]);
      expect(new Set(said)).toEqual(
        new Set([
          ["{", "rejected", [""]],
          [JSON.stringify(line("taken")), "conflict", ["/call_id"]],
          [JSON.stringify(maybe), "rejected", ["/outcome"]],
        ]),
      );
      expect(letters.every(({ headers }) => headers["earshot-source"]?.startsWith(`${topic}/`))).toBe(true);
    });

    test("a letter that could not be sent is sent by whoever goes on", async () => {
      await store.calls.accept([aCall("taken")], 1);
      await writeTopic(broker(), topic, [line("a"), line("taken"), line("b")]);
      const tried = Promise.withResolvers<void>();
      const away: TopicOut = {
        async send() {
          tried.resolve();
          throw new Error("gone");
        },
        close: async () => undefined,
      };
      const first = importer({ deadLetters: away });
      await tried.promise;
      await first.stop();
      importer();
      await vi.waitFor(async () => expect(await dead()).toHaveLength(1), SOON);
      await writeTopic(broker(), topic, [line("c")]);
      await vi.waitFor(async () => expect(await store.state("c")).not.toBeNull(), SOON);
      for (const call_id of ["a", "b"]) expect(await store.state(call_id)).not.toBeNull();
      expect(await dead()).toHaveLength(1);
    });

    test("two readers and one that died before it could say so: every call once", async () => {
      const calls = Array.from({ length: 2_500 }, (_, i) => line(`c${i}`));
      await writeTopic(broker(), topic, calls.slice(0, 1_500));
      const first = importer();
      await vi.waitFor(() => expect(first.results.length).toBeGreaterThan(0), SOON);
      const second = importer();
      await writeTopic(broker(), topic, calls.slice(1_500));
      const all = () => first.results.length + second.results.length;
      await vi.waitFor(() => expect(all()).toBe(2_500), SOON);
      await first.stop();
      await second.stop();
      // The group at the broker knows nothing: the store alone says what is stored.
      const third = importer({ topic: openTopicIn({ servers: serversAt(broker()), topic, group: randomUUID() }) });
      await writeTopic(broker(), topic, [line("last")]);
      await vi.waitFor(() => expect(third.results).toEqual(["accepted"]), SOON);
      expect([...first.results, ...second.results].every((result) => result === "accepted")).toBe(true);
      const [sum] = await store.rollups.agents({ scope: EVERYTHING, measures: [] });
      expect(sum?.total_calls).toBe(2_501);
    });
  });
}
