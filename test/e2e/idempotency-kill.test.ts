import { afterEach, expect, test } from "vitest";
import { measured } from "../support/measured.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";

const REQUESTS = 200;
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

interface Answer {
  readonly call_id: string;
  readonly replayed: boolean;
}

/** A call without an id of its own: only its request's key can tell that it was sent before. */
async function send(earshot: Earshot, i: number): Promise<Answer> {
  const body = { agent_id: "ana", transcript: `Agent: Hello.\nCustomer: This is request ${i}.` };
  const post = () => earshot.call("POST", "/api/v1/calls", body, { "idempotency-key": `"request-${i}"` });
  let answer = await post();
  // Two hundred at once are too much for a busy machine; who is refused asks again.
  while (answer.status === 503) {
    await answer.arrayBuffer();
    answer = await post();
  }
  expect(answer.status).toBe(202);
  const { call_id } = (await answer.json()) as { call_id: string };
  expect(answer.headers.get("location")).toBe(`/api/v1/calls/${call_id}`);
  return { call_id, replayed: answer.headers.get("idempotency-replayed") === "true" };
}

test("kill -9 right after an answer: what is sent again after the restart is there once, with its first id", async () => {
  const { path, cleanup } = await temporaryFolder();
  undo.push(cleanup);
  const env = { EARSHOT_DATA_DIR: path, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "error" };
  const serve = async () => {
    const earshot = await startEarshot(env, ["serve", "--role", "api,realtime"]);
    undo.push(() => earshot.stop("SIGKILL"));
    return earshot;
  };

  const first = await serve();
  const answered = new Map<number, string>();
  const killed: Promise<unknown>[] = [];
  const all = Array.from({ length: REQUESTS }, (_, i) => i);
  const sendFirst = async (i: number) => {
    const { call_id, replayed } = await send(first, i);
    expect(replayed).toBe(false);
    answered.set(i, call_id);
    // Others are being written, or are written and not answered yet.
    if (killed.length === 0) killed.push(first.stop("SIGKILL"));
  };
  // One commit can answer all that are under way: who was answered sends another, which the kill comes before.
  const lanes = all.slice(0, REQUESTS / 2);
  const settled = await Promise.allSettled(
    lanes.map(async (i) => {
      await sendFirst(i);
      await sendFirst(i + REQUESTS / 2);
    }),
  );
  expect(await Promise.all(killed)).toEqual([[null, "SIGKILL"]]);
  expect(answered.size).toBeGreaterThan(0);
  expect(settled.some((s) => s.status === "rejected")).toBe(true);

  const second = await serve();
  const again = await Promise.all(all.map((i) => send(second, i)));
  for (const [i, call_id] of answered) expect(again[i]).toEqual({ call_id, replayed: true });
  expect(new Set(again.map((a) => a.call_id)).size).toBe(REQUESTS);
  const third = await Promise.all(all.map((i) => send(second, i)));
  expect(third).toEqual(again.map(({ call_id }) => ({ call_id, replayed: true })));
  expect(await second.get("/api/v1/calls?limit=1")).toMatchObject({ total: REQUESTS });
  const [agent] = await second.get<{ total_calls: number }[]>("/api/v1/analytics/agents");
  expect(agent?.total_calls).toBe(REQUESTS);
  measured(
    "kill -9 under load",
    `${REQUESTS} keyed requests sent three times around a kill, ${answered.size} answered before it: ` +
      `${agent?.total_calls} calls, each answer as at first`,
  );
}, 60_000);
