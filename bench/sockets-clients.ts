/** The client processes of bench/sockets.ts, as one. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Server } from "./servers.ts";
import type { Order, Told } from "./sockets-client.ts";

const PROCESSES = 2;
/** What is not there after this long does not come. */
const GIVE_UP_MS = 8_000;
const LOOK_MS = 200;

/** What all clients saw of a run of calls. */
export interface Seen {
  /** Percent of what would have been a message a call and client. */
  readonly delivered_percent: number;
  /** From the sending of the call to each client. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** From the sending of the call to the last client that heard of it. */
  readonly last_p50_ms: number;
  readonly last_p99_ms: number;
  /** 1: each message came in a write of its own. */
  readonly messages_a_read: number;
  readonly closed: number;
}

/** Of one run of calls: what is shown, and the delay of the last client of each. */
export interface Run {
  readonly seen: Seen;
  readonly last: readonly number[];
  /** From the first sending to the last message. */
  readonly took_ms: number;
}

export type Clients = ReturnType<typeof startClients>;

export function startClients() {
  const children = Array.from({ length: PROCESSES }, () => fork(join(import.meta.dirname, "sockets-client.ts")));
  let opened = 0;

  const say = (order: (child: number) => Order): Promise<unknown[]> =>
    Promise.all(
      children.map(async (child, i) => {
        child.send(order(i));
        const [answer] = (await once(child, "message")) as [unknown];
        return answer;
      }),
    );

  return {
    /** So many more. */
    async open(server: Server, keys: readonly string[], sockets: number): Promise<void> {
      const port = Number(new URL(server.url).port);
      const share = (i: number) => Math.floor(sockets / PROCESSES) + (i < sockets % PROCESSES ? 1 : 0);
      await say((i) => ({ kind: "open", port, keys, sockets: share(i) }));
      opened += sockets;
    },
    async close(): Promise<void> {
      await say(() => ({ kind: "close" }));
      opened = 0;
    },
    /** Waits for a message a call and client, and says what came. `sent`: epoch ms of each call from the number `first` on. */
    async saw(sent: readonly number[], first = 0): Promise<Run> {
      const wanted = sent.length * opened;
      for (let waited = 0; waited < GIVE_UP_MS; waited += LOOK_MS) {
        const counts = (await say(() => ({ kind: "count" }))) as number[];
        if (counts.reduce((sum, n) => sum + n, 0) >= wanted) break;
        await pause(LOOK_MS);
      }
      return together((await say(() => ({ kind: "tell", sent, first }))) as Told[], sent, wanted);
    },
    kill(): void {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

function together(parts: readonly Told[], sent: readonly number[], wanted: number): Run {
  const delays = (parts[0]?.delays ?? []).map((_, ms) => parts.reduce((sum, part) => sum + (part.delays[ms] ?? 0), 0));
  const messages = delays.reduce((sum, n) => sum + n, 0);
  const last = sent.map((_, call) => Math.max(...parts.map((part) => part.calls[call]?.[1] ?? 0)));
  const heard = last.filter((ms) => ms > 0);
  const reads = parts.reduce((sum, part) => sum + part.reads, 0);
  const end = Math.max(...last.map((ms, call) => (sent[call] ?? 0) + ms));
  const at = (p: number): number => {
    let left = Math.ceil(messages * p);
    return delays.findIndex((n) => (left -= n) <= 0);
  };
  const seen = {
    delivered_percent: Math.round((messages / wanted) * 10_000) / 100,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    last_p50_ms: percentile(heard, 0.5),
    last_p99_ms: percentile(heard, 0.99),
    messages_a_read: Math.round((messages / reads) * 100) / 100,
    closed: parts.reduce((sum, part) => sum + part.closed, 0),
  };
  return { seen, last, took_ms: Math.round(end - (sent[0] ?? 0)) };
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN) * 10) / 10;
}
