/** Clients that stop reading, at the real server: closed with a code, and what they cost is bounded. */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { measured } from "../support/measured.ts";
import { ADMIN_KEY, startEarshot, temporaryFolder } from "../support/process.ts";
import { LONG } from "../support/tier.ts";

const CLIENTS = LONG ? 1_000 : 60;
/** At most this many at a time send: the sender is a process as well. */
const AT_ONCE = 50;
const MIB = 1024 * 1024;
/** Answers of 64 KB each, 12 MB: more than 1 MB at the server and what kernels mostly keep at both ends. */
const MESSAGES = 190;
/** The client's own code where all of them came. */
const KEPT = 4999;
/** What it sees when it took the close too late, which is five seconds. */
const CUT_OFF = 1006;
const message = JSON.stringify({ type: "custom_message", message: "x".repeat(65_000) });

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
      for (let i = 1; i < MESSAGES; i++) ws.send(message, () => {});
      // The last has left, or the connection has gone.
      await new Promise((resolve) => ws.send(message, resolve));
      // The server has answered all it will when a question after them is answered.
      expect(await earshot.get("/health")).toEqual({ status: "ok" });
      most = Math.max(most, resident());
      let answers = 0;
      // Some kernels keep so much for some clients that the server never had 1 MB waiting.
      ws.on("message", () => {
        if (++answers === MESSAGES) ws.close(KEPT);
      });
      ws.resume();
      codes.push(((await closed) as [number])[0]);
      if (codes.length % 100 === 0)
        console.log(`${codes.length} of ${CLIENTS} clients closed, ${Math.round(resident() / MIB)} MB`);
    };
    const left = Array.from({ length: CLIENTS }).values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const _ of left) await one();
      }),
    );
    const tally = (code: number) => codes.filter((c) => c === code).length;
    measured(
      "socket that does not read",
      `${CLIENTS} clients: ${Math.round(before / MIB)} MB before, ${Math.round(most / MIB)} MB at most, ` +
        `${Math.round(resident() / MIB)} MB after; ` +
        `${tally(4408)} told, ${tally(CUT_OFF)} cut off, ${tally(KEPT)} had all kept by the kernel`,
    );
    expect(tally(4408) + tally(CUT_OFF) + tally(KEPT)).toBe(CLIENTS);
    expect(tally(4408)).toBeGreaterThan(CLIENTS / 2);
    // Each may hold 1 MB and the answer that passed it, besides what was about to be collected.
    expect(most - before).toBeLessThan(AT_ONCE * 4 * MIB + 150 * MIB);
  } finally {
    await earshot.stop();
    await cleanup();
  }
}, 900_000);
