/** Clients of the feed's socket that come back with `after` whenever they are cut off, and check what they get. */
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { random } from "./call-rows.ts";

export interface FeedClients {
  /** Resolves once every client has its hello. */
  readonly connected: Promise<void>;
  /** Seqs missed, doubled or out of order, and what else must not be, in sentences; at most a few of each client. */
  readonly wrong: readonly string[];
  readonly messages: () => number;
  /** Connections lost, of all clients. */
  readonly lost: () => number;
  /** Resolves once every client has all up to `seq`. */
  reach(seq: number): Promise<void>;
  stop(): void;
}

/** Coming back after a moment, each after another one. */
const BACK_MS = 500;
/** Handshakes that are under way at once. */
const AT_ONCE = 50;

/**
 * @param url of a server or of what is in front of several
 * @param keys API keys, taken in turn: an account has a limit of sockets in each process
 */
export function feedClients(url: string, count: number, keys: readonly string[]): FeedClients {
  const next = random(count);
  const wrong: string[] = [];
  const last = new Uint32Array(count);
  const waiting = new Map<number, { seq: number; resolve: () => void }>();
  const sockets = new Set<WebSocket>();
  let messages = 0;
  let lost = 0;
  let stopped = false;
  const gates: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());

  const complain = (client: number, text: string): void => {
    if (wrong.length < 50) wrong.push(`client ${client}: ${text}`);
  };

  /** One connection, to its end; `greeted` with true once it stands, with false where it never did. */
  const connect = (client: number, greeted: (stands: boolean) => void): Promise<void> =>
    new Promise((resolve) => {
      const address = `${url.replace("http", "ws")}/ws/feed?after=${last[client]}`;
      const headers = { authorization: `Bearer ${keys[client % keys.length]}` };
      const ws = new WebSocket(address, { headers, perMessageDeflate: false });
      sockets.add(ws);
      ws.on("message", (data: Buffer) => {
        const { type, seq, prev_seq } = JSON.parse(data.toString("latin1")) as {
          type: string;
          seq: number;
          prev_seq: number;
        };
        if (type === "hello") return greeted(true);
        messages++;
        const before = last[client] ?? 0;
        if (type === "resync_required") complain(client, `must begin anew after ${before}`);
        else if (seq !== before + 1 || prev_seq !== before)
          complain(client, `${seq} (after ${prev_seq}) came after ${before}`);
        last[client] = seq;
        const wait = waiting.get(client);
        if (wait !== undefined && seq >= wait.seq) wait.resolve();
      });
      // `close` follows.
      ws.on("error", () => {});
      ws.on("close", () => {
        sockets.delete(ws);
        greeted(false);
        resolve();
      });
    });

  const live = async (client: number, first: () => void): Promise<void> => {
    while (!stopped) {
      const slot = client % AT_ONCE;
      const greeted = Promise.withResolvers<boolean>();
      const turn = gates[slot];
      gates[slot] = greeted.promise;
      await turn;
      const over = connect(client, greeted.resolve);
      if (await greeted.promise) first();
      await over;
      if (stopped) return;
      lost++;
      await pause(next() * BACK_MS);
    }
  };

  const connected = Array.from({ length: count }, (_, client) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    void live(client, resolve);
    return promise;
  });
  return {
    connected: Promise.all(connected).then(() => undefined),
    wrong,
    messages: () => messages,
    lost: () => lost,
    async reach(seq) {
      const behind = [...last.keys()].filter((client) => (last[client] ?? 0) < seq);
      await Promise.all(behind.map((client) => new Promise<void>((resolve) => waiting.set(client, { seq, resolve }))));
    },
    stop() {
      stopped = true;
      for (const ws of sockets) ws.terminate();
    },
  };
}
