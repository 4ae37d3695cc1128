/** A made-up call that goes on beside the demo's stored ones, so that a newcomer sees the live page move. */
import { setTimeout as pause } from "node:timers/promises";
import { type Demo, generateDemo } from "../demo/generate.ts";

/** Another seed than that of the stored calls: other people, other words. */
const SEED = 2;
const DRAWN = 60;
/** Shorter ones end before they were looked at. */
const MIN_CALL_MS = 240_000;
const AFTER_CALL_MS = 5_000;
/** Where the server refuses, once more after this. */
const AFTER_FAILURE_MS = 30_000;

interface LiveDemo {
  readonly url: string;
  /** Of an admin. */
  readonly key: string;
  readonly signal: AbortSignal;
}

/** One call after the other, each turn when it has been spoken, until the signal. Never rejects. */
export async function keepTalking(demo: LiveDemo): Promise<void> {
  const calls = liveCalls(Date.now());
  for (let i = 0; !demo.signal.aborted; i++) {
    const call = calls[i % calls.length] as LiveCall;
    try {
      await talk(demo, call);
      await pause(AFTER_CALL_MS, undefined, { signal: demo.signal });
    } catch {
      await pause(AFTER_FAILURE_MS, undefined, { signal: demo.signal }).catch(() => undefined);
    }
  }
}

type LiveCall = Demo["call"] & { readonly turns: NonNullable<Demo["call"]["turns"]> };

/** First the one whose mood falls most: whoever looks for two minutes sees what alerts are for. */
function liveCalls(now: number): LiveCall[] {
  return generateDemo({ seed: SEED, now, calls: DRAWN })
    .toSorted((a, b) => fall(b) - fall(a))
    .flatMap(({ call }) => (call.turns === undefined ? [] : [{ ...call, turns: call.turns }]))
    .filter(({ turns }) => (turns.at(-1)?.end_ms ?? 0) >= MIN_CALL_MS)
    .map((call, i) => Object.assign(call, { call_id: `demo-live-${i + 1}` }));
}

function fall({ truth }: Demo): number {
  return truth.sentiment_start - truth.sentiment_end;
}

async function talk(demo: LiveDemo, { turns, outcome, call_id, agent_id, customer_id }: LiveCall): Promise<void> {
  const path = `/api/v1/calls/${call_id}`;
  // The same few calls come round: what there is of one from the last time goes.
  await ask(demo, "DELETE", path, undefined, [404]);
  const begun = Date.now();
  const start_time = new Date(begun).toISOString();
  await ask(demo, "POST", "/api/v1/live", { call_id, agent_id, customer_id, start_time });
  for (const turn of turns) {
    await pause(Math.max(0, begun + (turn.end_ms ?? 0) - Date.now()), undefined, { signal: demo.signal });
    await ask(demo, "POST", `${path}/turns`, { turns: [turn] });
  }
  await ask(demo, "POST", `${path}/end`, { outcome });
}

/** @throws where the answer is neither 2xx nor one of `fine` */
async function ask(demo: LiveDemo, method: string, path: string, body?: object, fine: readonly number[] = []) {
  const response = await fetch(demo.url + path, {
    method,
    signal: demo.signal,
    headers: { authorization: `Bearer ${demo.key}`, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  await response.arrayBuffer();
  if (!response.ok && !fine.includes(response.status)) throw new Error(`${method} ${path}: ${response.status}`);
}
