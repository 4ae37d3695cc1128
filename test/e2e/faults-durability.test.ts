/** An answer that acknowledges a write is sent only after the disk has it: read from the server's system calls. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { measured } from "../support/measured.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";
import { type Acknowledged, type Durability, durability, readTrace, straceArguments } from "../support/trace.ts";

const strace = requirement("strace");
const weakened = new URL("../support/synchronous-normal.ts", import.meta.url).href;
const LANES = 16;
const STEPS = 3;

const body = (call_id: string, words: string) => ({ call_id, transcript: `Customer: ${words}` });

const accepted = (...ids: string[]) => ids.map((call_id) => ({ type: "call.accepted", call_id }));

/** What one of many clients does at once with the others; each answer with the events it stands for. */
async function lane(earshot: Earshot, name: string, acknowledged: Acknowledged[]): Promise<void> {
  const ask = async (method: string, path: string, status: number, sent: unknown, events: Acknowledged["events"]) => {
    const request_id = `lane-${name}-${acknowledged.length}`;
    const answer = await earshot.call(method, path, sent, { "x-request-id": request_id });
    expect([method, answer.status]).toEqual([method, status]);
    await answer.text();
    acknowledged.push({ request_id, events });
  };
  for (let i = 0; i < STEPS; i++) {
    const [one, two, three] = ["a", "b", "c"].map((x) => `traced-${name}${x}-${i}`) as [string, string, string];
    await ask("POST", "/api/v1/calls", 202, body(one, "hello"), accepted(one));
    const calls = [body(two, "good day"), body(three, "good evening")];
    await ask("POST", "/api/v1/calls/bulk", 207, { calls }, accepted(two, three));
    await ask("PUT", `/api/v1/calls/${one}`, 202, body(one, "bye"), [{ type: "call.replaced", call_id: one }]);
    await ask("DELETE", `/api/v1/calls/${two}`, 204, undefined, [{ type: "call.deleted", call_id: two }]);
  }
}

async function traced(options: string): Promise<Durability> {
  const { path, cleanup } = await temporaryFolder();
  try {
    const file = join(path, "trace");
    const env = { EARSHOT_DATA_DIR: join(path, "data"), EARSHOT_MODEL_DIR: "statistical:", NODE_OPTIONS: options };
    const earshot = await startEarshot(env, ["serve"], [strace ?? "", ...straceArguments(file)]);
    const acknowledged: Acknowledged[][] = [];
    try {
      await Promise.all(
        Array.from({ length: LANES }, (_, i) => {
          const own: Acknowledged[] = [];
          acknowledged.push(own);
          return lane(earshot, String.fromCodePoint(97 + i), own);
        }),
      );
    } finally {
      await earshot.stop();
    }
    return durability(await readTrace(file), acknowledged.flat());
  } finally {
    await rm(join(path, "trace"), { force: true });
    await cleanup();
  }
}

describe.skipIf(strace === null)("202, 207 and 204 mean on disk", () => {
  test("every answer follows a sync of the log that began after its transaction was written", async () => {
    const { answers, syncs, early } = await traced("");
    expect(early).toEqual([]);
    expect(answers).toBe(LANES * STEPS * 4);
    // Many answers share a sync, or nothing ran at once and the order was never in danger.
    expect(syncs).toBeLessThan(answers);
    measured("the answer before the disk", `${answers} answers, ${early.length} before their sync; ${syncs} syncs`);
  }, 60_000);

  test("a server that does not wait for the disk is found out", async () => {
    const { answers, early } = await traced(`--import=${weakened}`);
    expect(answers).toBe(LANES * STEPS * 4);
    expect(early.length).toBeGreaterThan(answers / 2);
    measured(
      "the answer before the disk",
      `control without syncs: ${early.length} writes of ${answers} answers found out`,
    );
  }, 60_000);
});
