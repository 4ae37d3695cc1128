/** The real server with Kafka down at the start, killed, silent and flapping, and killed itself while it imports. */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type KafkaServer, startKafka } from "../support/kafka-server.ts";
import { readEvents, readTopic, writeTopic } from "../support/kafka-topics.ts";
import { inSeconds, measured } from "../support/measured.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";
import { LONG } from "../support/tier.ts";

const jars = requirement("kafka");
const SOON = { timeout: 60_000, interval: 100 };

interface Ready {
  readonly status: string;
  readonly degraded: readonly string[];
  readonly checks: { readonly kafka: { ok: boolean; events_behind: number; messages_behind: number } };
}

const line = (call_id: string) => ({
  call_id,
  transcript: "Agent: Hello.\nCustomer: I am really happy with this, thank you.",
});

const ready = (earshot: Earshot) => earshot.get<Ready>("/health/ready");

const says = (earshot: Earshot, degraded: boolean) =>
  vi.waitFor(async () => {
    const { degraded: parts, checks } = await ready(earshot);
    expect([parts.includes("kafka"), checks.kafka.ok]).toEqual([degraded, !degraded]);
    const metrics = await (await earshot.call("GET", "/metrics")).text();
    expect(metrics).toContain(`earshot_degraded{part="kafka"} ${degraded ? 1 : 0}`);
  }, SOON);

async function ends(earshot: Earshot): Promise<void> {
  expect(await earshot.stop()).toEqual([0, null]);
  expect(earshot.stderr()).not.toMatch(/unhandled|uncaught|TypeError/i);
}

describe.skipIf(jars === null)("Kafka away", () => {
  let kafka: KafkaServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let sent: string[];
  let slowest: number;
  let topic: string;
  beforeAll(async () => {
    kafka = await startKafka(jars as string);
  });
  afterAll(() => kafka.close());
  beforeEach(async () => {
    folder = await temporaryFolder();
    topic = randomUUID();
    sent = [];
    slowest = 0;
  });
  afterEach(() => folder.cleanup());

  const environment = () => ({
    EARSHOT_DATA_DIR: folder.path,
    EARSHOT_MODEL_DIR: "statistical:",
    EARSHOT_KAFKA_BROKERS: kafka.brokers,
    EARSHOT_KAFKA_EVENTS_TOPIC: `${topic}.out`,
    EARSHOT_KAFKA_IMPORT_TOPIC: topic,
  });
  const serve = (...args: string[]) => startEarshot(environment(), ["serve", ...args]);

  async function send(earshot: Earshot, n = 5): Promise<void> {
    for (let i = 0; i < n; i++) {
      const call_id = `p${sent.length}`;
      const began = performance.now();
      const response = await earshot.call("POST", "/api/v1/calls", line(call_id));
      slowest = Math.max(slowest, performance.now() - began);
      expect(response.status).toBe(202);
      sent.push(call_id);
    }
  }

  /** Resolves when the topic has all of the log, and nothing waits; the milliseconds that took. */
  async function drained(earshot: Earshot): Promise<number> {
    const began = performance.now();
    await vi.waitFor(async () => {
      const { checks } = await ready(earshot);
      expect(checks.kafka).toMatchObject({ ok: true, events_behind: 0, messages_behind: 0 });
      const { total } = await earshot.get<{ total: number }>("/api/v1/calls?limit=1&state=degraded");
      expect(total).toBe(sent.length);
    }, SOON);
    // What was enriched last has its event.
    await vi.waitFor(async () => expect((await ready(earshot)).checks.kafka.events_behind).toBe(0), SOON);
    return performance.now() - began;
  }

  /** Every call was accepted and enriched once, and the topic has every event of the log. */
  async function expectWhole(): Promise<{ events: number; repeats: number }> {
    const events = await readEvents(kafka.brokers, `${topic}.out`);
    const once = new Map(events.map((event) => [event.seq, event]));
    expect([...once.keys()].toSorted((a, b) => a - b)).toEqual(Array.from({ length: once.size }, (_, i) => i + 1));
    for (const type of ["call.accepted", "call.enriched"]) {
      const ids = [...once.values()].filter((event) => event.type === type).map(({ call_id }) => call_id);
      expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(sent.toSorted((a, b) => (a < b ? -1 : 1)));
    }
    const rebuilt = await runCli(["kafka", "rebuild"], environment());
    expect(rebuilt.stderr).toContain("0 differ");
    expect(rebuilt.code).toBe(0);
    return { events: once.size, repeats: events.length - once.size };
  }

  test("down at the start (silent and killed in the long form): calls are taken as ever, and what waits goes out by itself", async () => {
    await kafka.kill();
    const earshot = await serve();
    await send(earshot);
    await says(earshot, true);
    await kafka.start();
    const afterStart = await drained(earshot);
    await says(earshot, false);

    await writeTopic(kafka.brokers, topic, [line("k0"), "no call", line("k1")]);
    sent.push("k0", "k1");
    await drained(earshot);
    let afterSilence = 0;
    let afterKill = 0;
    if (LONG) {
      kafka.freeze();
      await send(earshot);
      await says(earshot, true);
      await send(earshot);
      kafka.resume();
      afterSilence = await drained(earshot);
      await kafka.kill();
      await send(earshot);
      await says(earshot, true);
      await kafka.start();
      afterKill = await drained(earshot);
    }
    expect(await readTopic(kafka.brokers, `${topic}.dead`)).toHaveLength(1);
    const { events, repeats } = await expectWhole();
    await ends(earshot);
    measured(
      "Kafka down at start, killed, silent",
      `${events} events all there (${repeats} repeats), nothing waits ${inSeconds(afterStart)} after its start${LONG ? `, ${inSeconds(afterSilence)} after its silence, ${inSeconds(afterKill)} after it is back from a kill` : ""}, slowest 202 ${Math.round(slowest)} ms`,
    );
  }, 180_000);

  test.skipIf(!LONG)(
    "flapping: nothing is lost, out or in",
    async () => {
      const earshot = await serve();
      await writeTopic(kafka.brokers, topic, [line("k0")]);
      sent.push("k0");
      for (let round = 0; round < 8; round++) {
        const calls = Array.from({ length: 20 }, (_, i) => `r${round}-${i}`);
        await writeTopic(kafka.brokers, topic, calls.map(line));
        sent.push(...calls);
        if (round % 2 === 0) kafka.freeze();
        else await kafka.kill();
        await send(earshot, 10);
        if (round % 2 === 0) kafka.resume();
        else await kafka.start();
        await send(earshot, 10);
      }
      const took = await drained(earshot);
      const { events, repeats } = await expectWhole();
      await ends(earshot);
      measured(
        "Kafka flapping",
        `8 rounds, ${sent.length} calls each once, ${events} events all there (${repeats} repeats), nothing waits ${inSeconds(took)} after the last, slowest 202 ${Math.round(slowest)} ms`,
      );
    },
    300_000,
  );

  test.skipIf(!LONG)(
    "of two processes that import one is killed again and again: each call once",
    async () => {
      const rounds = 12;
      const keeper = await serve();
      await writeTopic(kafka.brokers, topic, [line("k0")]);
      sent.push("k0");
      let victim = await serve();
      for (let round = 0; round < rounds; round++) {
        const calls = Array.from({ length: 600 }, (_, i) => `r${round}-${i}`);
        await writeTopic(kafka.brokers, topic, calls.map(line));
        sent.push(...calls);
        await vi.waitFor(async () => {
          const { total } = await keeper.get<{ total: number }>("/api/v1/calls?limit=1");
          expect(total).toBeGreaterThan(sent.length - 500);
        }, SOON);
        expect(await victim.stop("SIGKILL")).toEqual([null, "SIGKILL"]);
        victim = await serve();
      }
      const took = await drained(keeper);
      await ends(victim);
      const { events, repeats } = await expectWhole();
      await ends(keeper);
      measured(
        "an importing process killed",
        `${rounds} kills of one of two, ${sent.length} calls each once, ${events} events all there (${repeats} repeats), nothing waits ${inSeconds(took)} after the last kill`,
      );
    },
    300_000,
  );
});
