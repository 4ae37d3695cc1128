/** A server is killed while calls go on: what was acknowledged is there, once, and what had no sentiment yet gets one. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { LONG } from "../support/tier.ts";

const ROUNDS = LONG ? 20 : 4;
const CALLS = ["k0", "k1", "k2", "k3"];

interface Event {
  readonly seq: number;
  readonly type: string;
  readonly call_id: string;
  readonly turn_index: number | null;
  readonly position: number | null;
}

interface Ledger {
  /** Turns on disk for sure, in order. */
  readonly acknowledged: string[];
  /** Sent, not answered: sent again by its turn_id. */
  open: string | null;
  n: number;
}

const turn = (call_id: string, n: number) => `${call_id} says ${n}, which is good`;

/** Sends turn after turn until the server is gone. */
async function produce(earshot: Earshot, call_id: string, ledger: Ledger, onAck: () => void): Promise<void> {
  for (;;) {
    const text = ledger.open ?? turn(call_id, ledger.n++);
    ledger.open = text;
    try {
      const turns = [{ turn_id: text, speaker: "customer", text }];
      const answer = await earshot.call("POST", `/api/v1/calls/${call_id}/turns`, { turns });
      if (answer.status !== 202) throw new Error(`answer ${answer.status}`);
      await answer.text();
    } catch {
      return;
    }
    ledger.acknowledged.push(text);
    ledger.open = null;
    onAck();
  }
}

async function allEvents(earshot: Earshot): Promise<Event[]> {
  const events: Event[] = [];
  for (let after = 0; ; ) {
    const page = await earshot.get<{ events: Event[]; next_after: number }>(`/api/v1/events?after=${after}&limit=1000`);
    events.push(...page.events);
    if (page.events.length === 0) return events;
    after = page.next_after;
  }
}

/** Asks until the answer fits: the log of another process is all there is to wait for. */
async function until<T>(ask: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (fits(value)) return value;
  }
}

test("nothing acknowledged is lost or doubled over kills, and each call is enriched once", async () => {
  const { path, cleanup } = await temporaryFolder();
  const env = { EARSHOT_DATA_DIR: join(path, "data"), EARSHOT_MODEL_DIR: "statistical:", EARSHOT_RATE_LIMIT: "0" };
  const ledgers = new Map(CALLS.map((id): [string, Ledger] => [id, { acknowledged: [], open: null, n: 0 }]));
  let earshot = await startEarshot(env);
  try {
    for (const call_id of CALLS) {
      expect((await earshot.call("POST", "/api/v1/live", { call_id, agent_id: "ann" })).status).toBe(201);
    }
    for (let round = 0; round < ROUNDS; round++) {
      const running = earshot;
      const enough = Promise.withResolvers<void>();
      let left = 40 + 7 * round;
      const onAck = () => {
        if (--left === 0) enough.resolve();
      };
      const producers = [...ledgers].map(([call_id, ledger]) => produce(running, call_id, ledger, onAck));
      await enough.promise;
      await running.stop("SIGKILL");
      await Promise.all(producers);
      earshot = await startEarshot(env);
    }
    for (const [call_id, ledger] of ledgers) {
      if (ledger.open === null) continue;
      const turns = [{ turn_id: ledger.open, speaker: "customer", text: ledger.open }];
      expect((await earshot.call("POST", `/api/v1/calls/${call_id}/turns`, { turns })).status).toBe(202);
      ledger.acknowledged.push(ledger.open);
    }
    const total = [...ledgers.values()].reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    const turnEvents = (events: Event[]) => events.filter((e) => e.type === "live.turn");
    const events = await until(
      () => allEvents(earshot),
      (all) => turnEvents(all).length >= total,
    );
    expect(events.map((e) => e.seq)).toEqual(events.map((_, i) => i + 1));
    for (const [call_id, { acknowledged }] of ledgers) {
      const own = turnEvents(events).filter((e) => e.call_id === call_id);
      expect(own.map((e) => e.position)).toEqual(acknowledged.map((_, i) => i + 1));
      expect((await earshot.call("POST", `/api/v1/calls/${call_id}/end`)).status).toBe(202);
    }
    const last = await until(
      () => allEvents(earshot),
      (all) => all.filter((e) => e.type === "call.enriched").length >= CALLS.length,
    );
    for (const [call_id, { acknowledged }] of ledgers) {
      const { turns } = await earshot.get<{ turns: { text: string }[] }>(`/api/v1/calls/${call_id}`);
      expect(turns.map((t) => t.text)).toEqual(acknowledged);
      const types = last.filter((e) => e.call_id === call_id && e.type !== "live.turn" && e.type !== "live.alert");
      expect(types.map((e) => e.type)).toEqual(["live.started", "call.accepted", "live.ended", "call.enriched"]);
    }
  } finally {
    await earshot.stop("SIGKILL");
    await cleanup();
  }
}, 120_000);
