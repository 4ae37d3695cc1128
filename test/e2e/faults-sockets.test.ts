/** Clients that stop reading, at the real server: closed with a code, and what they cost is bounded. */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { ADMIN_KEY, startEarshot, temporaryFolder } from "../support/process.ts";
import { LONG } from "../support/tier.ts";

const CLIENTS = LONG ? 1_000 : 60;
/** At most this many at a time send: the sender is a process as well. */
const AT_ONCE = 20;
const MIB = 1024 * 1024;
/** Answers of 60 KB each: more than what the kernels at both ends keep, and 1 MB at the server. */
const MESSAGES = 150;
const message = JSON.stringify({ type: "custom_message", message: "x".repeat(60_000) });

async function stalled(url: string): Promise<WebSocket> {
  const ws = new WebSocket(`${url.replace("http", "ws")}/ws`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
  await once(ws, "message");
  ws.pause();
  return ws;
}

test(`${CLIENTS} clients that read nothing are closed as too slow, others are served, memory stays bounded`, async () => {
  const { path, cleanup } = await temporaryFolder();
  const earshot = await startEarshot({ EARSHOT_DATA_DIR: path, EARSHOT_MODEL_DIR: "statistical:" });
  const resident = (): number => {
    const file = `/proc/${earshot.pid}/status`;
    if (!existsSync(file)) return 0;
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(file, "utf8"))?.[1]) * 1024;
  };
  try {
    const before = resident();
    let most = 0;
    const codes: number[] = [];
    const one = async (): Promise<void> => {
      const ws = await stalled(earshot.url);
      ws.on("error", () => {});
      const closed = once(ws, "close");
      // Within the burst that a client may send at once.
      for (let i = 0; i < MESSAGES && ws.readyState === WebSocket.OPEN; i++) ws.send(message);
      while (ws.bufferedAmount > 0 && ws.readyState === WebSocket.OPEN) await new Promise(setImmediate);
      // The server has answered all it will when a question after them is answered.
      expect(await earshot.get("/health")).toEqual({ status: "ok" });
      most = Math.max(most, resident());
      ws.resume();
      codes.push(((await closed) as [number])[0]);
      if (codes.length % 100 === 0) console.log(`${codes.length} of ${CLIENTS} clients closed`);
    };
    const left = Array.from({ length: CLIENTS }).values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const _ of left) await one();
      }),
    );
    console.log(
      `${CLIENTS} slow clients: ${Math.round(before / MIB)} MB before, ${Math.round(most / MIB)} MB at most, ` +
        `${Math.round(resident() / MIB)} MB after`,
    );
    expect(new Set(codes)).toEqual(new Set([4408]));
    // Each may hold 1 MB and the answer that passed it, besides what was about to be collected.
    expect(most - before).toBeLessThan(AT_ONCE * 4 * MIB + 150 * MIB);
  } finally {
    await earshot.stop();
    await cleanup();
  }
}, 900_000);
