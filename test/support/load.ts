/** Clients that send, replace and remove calls as fast as they are answered, and keep the ledger. */
import { setTimeout as pause } from "node:timers/promises";
import type { Earshot } from "./process.ts";
import type { Ledger } from "./ledger.ts";

const BULK = 20;
const AGENTS = ["ana", "ben", "cleo"];
/** Few different turns, so that a model remembers them and the load is the store's. */
const PHRASES = [
  "I would love to hear more about the new plan.",
  "Your invoice is wrong again and I am tired of this.",
  "How many people are there in your team?",
  "That is far too expensive for us at the moment.",
];

export interface LoadOptions {
  readonly ledger: Ledger;
  /** 0 <= value < 1, seeded. */
  readonly random: () => number;
  readonly lanes: number;
  /** Begins every call_id: unique in the ledger. */
  readonly name: string;
  /** Calls a second over all lanes at most. */
  readonly rate: number;
  /** The store may go away while the server lives: a lane that is told so ends, as where the server does not answer. */
  readonly storeMayGo?: boolean;
  /** Ends every lane after its next answer. */
  readonly until?: AbortSignal;
}

/** 503: whether it was done is not known. */
class Unavailable extends Error {}

/** Runs until the server does not answer any more, or `until`; resolves when every request has an answer or an error. */
export async function load(earshot: Earshot, options: LoadOptions): Promise<void> {
  const pace = { due: performance.now(), step: 1000 / options.rate };
  await Promise.all(Array.from({ length: options.lanes }, (_, lane) => runLane(earshot, options, lane, pace)));
}

/** The same call for the same id, so that it can be sent again; `version` counts its texts. */
function callOf(call_id: string, version: number): object {
  const mark = version + Buffer.from(call_id).reduce((sum, byte) => sum + byte, 0);
  const phrase = (i: number) => PHRASES[(mark + i) % PHRASES.length];
  return {
    call_id,
    agent_id: AGENTS[mark % AGENTS.length],
    start_time: new Date(Date.UTC(2026, 0, 1 + (mark % 28), mark % 24)).toISOString(),
    transcript: `Agent: ${phrase(0)}\nCustomer: ${phrase(1)}\nAgent: version ${version}\nCustomer: ${phrase(2)}`,
  };
}

/** Sends a call that may or may not have got through before; a repeat changes nothing. */
export async function sendAgain(earshot: Earshot, ledger: Ledger, call_id: string): Promise<void> {
  const { revision } = await answerOf(await ask(earshot, "POST", "/api/v1/calls", callOf(call_id, 1)), 202);
  ledger.acknowledge(call_id, revision);
}

async function runLane(
  earshot: Earshot,
  { ledger, random, name, storeMayGo = false, until }: LoadOptions,
  lane: number,
  pace: { due: number; step: number },
): Promise<void> {
  const mine: { call_id: string; revision: number }[] = [];
  for (let i = 0; until?.aborted !== true; i++) {
    const dice = random();
    const ids = Array.from({ length: dice < 0.1 ? BULK : 1 }, (_, k) => `${name}-${lane}-${i}-${k}`);
    const [first = ""] = ids;
    const known = dice < 0.75 ? undefined : mine.splice(Math.floor(random() * mine.length), 1)[0];
    await turn(pace, ids.length);
    try {
      if (known && dice < 0.9) mine.push(await replace(earshot, ledger, known));
      else if (known) await remove(earshot, ledger, known.call_id);
      else if (ids.length > 1) mine.push(...(await acceptMany(earshot, ledger, ids)));
      else {
        ledger.sending(first, "accept");
        await sendAgain(earshot, ledger, first);
        mine.push({ call_id: first, revision: 1 });
      }
    } catch (error) {
      // What fetch throws when the connection is gone; anything else is a fault of the test or the server.
      if (error instanceof TypeError || (storeMayGo && error instanceof Unavailable)) return;
      throw error;
    }
  }
}

/** Waits until the next calls of all lanes are due. */
async function turn(pace: { due: number; step: number }, calls: number): Promise<void> {
  const now = performance.now();
  // What was missed is not made up for.
  pace.due = Math.max(pace.due, now - 100) + pace.step * calls;
  const wait = pace.due - now;
  if (wait > 1) await pause(wait);
}

/** The answer; where the server has too much to do, it is asked again when it said. */
async function ask(earshot: Earshot, method: string, path: string, body?: object): Promise<Response> {
  for (;;) {
    const response = await earshot.call(method, path, body);
    if (response.status !== 503) return response;
    const { code } = (await response.clone().json()) as { code: string };
    if (code !== "overloaded") return response;
    await pause(Number(response.headers.get("retry-after")) * 1000);
  }
}

async function replace(earshot: Earshot, ledger: Ledger, { call_id, revision }: { call_id: string; revision: number }) {
  ledger.sending(call_id, "replace");
  const answer = await ask(earshot, "PUT", `/api/v1/calls/${call_id}`, callOf(call_id, revision + 1));
  const got = await answerOf(answer, 202);
  ledger.acknowledge(call_id, got.revision);
  return { call_id, revision: got.revision };
}

async function remove(earshot: Earshot, ledger: Ledger, call_id: string): Promise<void> {
  ledger.sending(call_id, "remove");
  await answerOf(await ask(earshot, "DELETE", `/api/v1/calls/${call_id}`), 204);
  ledger.acknowledge(call_id, null);
}

async function acceptMany(earshot: Earshot, ledger: Ledger, ids: readonly string[]) {
  for (const call_id of ids) ledger.sending(call_id, "accept");
  const calls = ids.map((call_id) => callOf(call_id, 1));
  const { results } = await answerOf(await ask(earshot, "POST", "/api/v1/calls/bulk", { calls }), 207);
  for (const { call_id, status } of results) {
    if (status === "accepted") ledger.acknowledge(call_id, 1);
    else throw new Error(`${call_id} of a bulk was ${status}`);
  }
  return ids.map((call_id) => ({ call_id, revision: 1 }));
}

interface Body {
  readonly revision: number;
  readonly results: readonly { readonly call_id: string; readonly status: string }[];
}

async function answerOf(response: Response, status: number): Promise<Body> {
  const text = await response.text();
  if (response.status === 503) throw new Unavailable(text);
  if (response.status !== status) throw new Error(`${response.status} instead of ${status}: ${text}`);
  return (text === "" ? {} : JSON.parse(text)) as Body;
}
