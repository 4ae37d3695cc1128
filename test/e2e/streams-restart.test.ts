/** Streams at real processes: one of two goes away under load. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ADMIN_KEY, type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { EventClient, SocketClient } from "../support/stream-client.ts";

const ADMIN = { authorization: `Bearer ${ADMIN_KEY}` };
const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function folder(): Promise<Record<string, string>> {
  const { path, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const store = `sqlite:${join(path, "earshot.db")}`;
  return {
    EARSHOT_DATA_DIR: path,
    EARSHOT_STORE_URL: store,
    EARSHOT_MODEL_DIR: "statistical:",
    EARSHOT_LOG_LEVEL: "error",
  };
}

async function serve(env: Record<string, string>): Promise<Earshot> {
  const earshot = await startEarshot(env, ["serve", "--role", "api,realtime"]);
  undo.push(() => earshot.stop("SIGKILL"));
  return earshot;
}

test.each(["SIGTERM", "SIGKILL"] as const)(
  "%s of one of two processes: who goes to the other misses and doubles nothing",
  async (signal) => {
    const env = await folder();
    const leaving = await serve(env);
    const staying = await serve(env);
    let writing = true;
    const writer = (async () => {
      for (let i = 0; writing; i++) {
        const calls = Array.from({ length: 20 }, (_, k) => ({ call_id: `c-${i}-${k}`, transcript: "Customer: well" }));
        expect((await staying.call("POST", "/api/v1/calls/bulk", { calls })).status).toBe(207);
      }
    })();
    const sockets = Array.from({ length: 40 }, () => new SocketClient(`${leaving.url}/ws/feed?after=0`, ADMIN));
    const streams = Array.from(
      { length: 10 },
      () => new EventClient(`${leaving.url}/api/v1/stream/feed?after=0`, ADMIN),
    );
    const clients = [...sockets, ...streams];
    await Promise.all(clients.map((client) => client.next((m) => m.seq >= 200)));
    const [ends] = await Promise.all([Promise.all(clients.map((client) => client.closed)), leaving.stop(signal)]);
    if (signal === "SIGTERM") {
      const retries = ends.map((end, i) => {
        expect([i, end?.code]).toEqual([i, 1012]);
        return Number(/^reconnect after (\d+) ms$/.exec(end?.reason ?? "")?.[1]);
      });
      for (const [i, stream] of streams.entries()) expect(stream.retry).toBe(retries[sockets.length + i]);
      // Spread, so that the other process does not get all of them at once.
      expect(new Set(retries).size).toBeGreaterThan(clients.length / 2);
      expect(Math.max(...retries) - Math.min(...retries)).toBeGreaterThan(1_000);
    }
    const again = clients.map((client) => new SocketClient(`${staying.url}/ws/feed?after=${client.position}`, ADMIN));
    await Promise.all(again.map((client) => client.next((m) => m.type !== "hello")));
    writing = false;
    await writer;
    const head = (await staying.get<{ next_after: number }>("/api/v1/events?after=100000000")).next_after;
    const all = Array.from({ length: head }, (_, i) => i + 1);
    for (const [i, client] of clients.entries()) {
      const second = again[i] as SocketClient;
      if (second.position < head) await second.next((m) => m.seq >= head && m.type !== "hello");
      expect([...client.seqs(), ...second.seqs()]).toEqual(all);
      second.ws.terminate();
    }
  },
  120_000,
);
