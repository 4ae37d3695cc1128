/**
 * Stores the calls of a topic, each once: how far a part has been read is a bookmark that moves in the transaction of the
 * calls, and whoever finds it moved stores nothing. So neither a crash, nor parts that change hands, nor two readers of
 * one part lose a call or double it. What cannot be stored goes to another topic with its error, before the bookmark is past
 * it; only what came of a conflict is known later, and then the bookmark itself holds its place until that is sent.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { FieldError } from "../errors.ts";
import { type AcceptResult, type Calls, PRIORITY } from "../ports/calls.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { InBatch, InMessage, OutMessage, TopicIn, TopicOut } from "../ports/topics.ts";
import type { BulkReader } from "./bulk-reader.ts";
import { MAX_BULK_CALLS } from "./check-bulk.ts";
import { type Steady, startSteady } from "./steady.ts";

/** Nobody's part for now: others may leave. */
const IDLE_MS = 500;
/** What a letter says beside the message must fit into the same topic. */
const LETTER_BYTES = 900_000;
const LETTER_ERRORS = 20;

export type MessageResult = AcceptResult["status"] | "rejected";

export interface TopicImportDeps {
  readonly topic: TopicIn;
  readonly deadLetters: TopicOut;
  /** For letters and bookmarks. */
  readonly topicName: string;
  readonly calls: Pick<Calls, "acceptFrom">;
  readonly jobs: Pick<Jobs, "bookmark">;
  readonly bulks: Pick<BulkReader, "readEach" | "close">;
  /** Epoch ms. */
  readonly now: () => number;
  readonly random: () => number;
  /** Told why calls do not come in, and null when they do. */
  readonly onChange: (problem: string | null) => void;
  /** Told of messages that were gone from the topic before they were read. */
  readonly onJump: (part: string, from: number, to: number) => void;
  /** Told what became of messages, and the ms each step took. */
  readonly onStored: (results: readonly MessageResult[], took: { check: number; store: number }) => void;
}

export interface TopicImport extends Steady {
  /** Messages that wait in the parts of this process, as far as it knows. */
  behind(): number;
}

interface Place {
  /** The bookmark as it is; null: not there. */
  readonly value: string | null;
  /** Where reading goes on; null: at the beginning. */
  readonly next: number | null;
  /** Where messages lie that were not taken and may have no letter yet. */
  readonly refused: readonly number[];
}

const bookmarkOf = (part: string): string => `kafka.import:${part}`;

export function startTopicImport(deps: TopicImportDeps): TopicImport {
  const { topic, jobs } = deps;
  const places = new Map<string, Place>();
  const waiting = new Map<string, number>();

  const load = async (part: string): Promise<void> => {
    const place = readPlace(await jobs.bookmark(bookmarkOf(part)));
    places.set(part, place.refused.length > 0 ? await settleRefused(deps, part, place) : place);
  };

  const store = async (batch: InBatch): Promise<void> => {
    const { part, messages, next, jumped } = batch;
    let place = places.get(part);
    if (jumped) deps.onJump(part, place?.next ?? 0, next);
    for (let at = 0; place && (at === 0 || at < messages.length); at += MAX_BULK_CALLS) {
      const some = messages.slice(at, at + MAX_BULK_CALLS);
      const to = at + MAX_BULK_CALLS < messages.length ? (some.at(-1)?.offset ?? 0) + 1 : next;
      place = (await storeSome(deps, { part, place, messages: some, to })) ?? undefined;
    }
    if (place) places.set(part, place);
    // Another process was before us: where it is, is in the store.
    else places.delete(part);
    waiting.set(part, Math.max(0, batch.end - (place?.next ?? next)));
  };

  const step = async (signal: AbortSignal): Promise<void> => {
    const parts = await topic.parts();
    for (const part of places.keys()) if (!parts.includes(part)) places.delete(part);
    for (const part of waiting.keys()) if (!parts.includes(part)) waiting.delete(part);
    for (const part of parts) if (!places.has(part)) await load(part);
    if (places.size === 0) {
      await delay(IDLE_MS, undefined, { signal, ref: false }).catch(() => undefined);
      return;
    }
    const batches = await topic.read(new Map([...places].map(([part, { next }]) => [part, next])));
    for (const batch of batches) {
      if (signal.aborted) return;
      await store(batch);
    }
    if (batches.length > 0) await topic.tell(new Map([...places].map(([part, { next }]) => [part, next ?? 0])));
  };

  const steady = startSteady({
    step,
    random: deps.random,
    onChange: deps.onChange,
    // What came of a write that failed is in the store.
    onFailure: async () => places.clear(),
    close: () => Promise.all([topic.close(), deps.deadLetters.close()]),
  });

  return {
    problem: () => steady.problem(),
    behind: () => [...waiting.values()].reduce((sum, n) => sum + n, 0),
    async stop() {
      await steady.stop();
      await deps.bulks.close();
    },
  };
}

/** Stores some messages of a part and moves its bookmark to `to`; null where another process has moved it. */
async function storeSome(
  deps: TopicImportDeps,
  input: { part: string; place: Place; messages: readonly InMessage[]; to: number },
): Promise<Place | null> {
  const { part, place, messages, to } = input;
  const began = performance.now();
  const bodies = messages.map(({ value }) => value);
  const { good, rejected } = await deps.bulks.readEach(bodies, deps.now());
  const checked = performance.now();
  const letters = rejected.map(({ index, errors }) =>
    letterOf(deps, part, messages[index] as InMessage, "rejected", errors),
  );
  if (letters.length > 0) await deps.deadLetters.send(letters);
  const sources = good.map(({ index }) => messages[index] as InMessage);
  const stored = performance.now();
  const results = await deps.calls.acceptFrom(
    good.map(({ call }) => call),
    PRIORITY.bulk,
    {
      name: bookmarkOf(part),
      from: place.value,
      to: String(to),
      places: sources.map(({ offset }) => String(offset)),
    },
  );
  if (results === null) return null;
  const took = { check: checked - began, store: performance.now() - stored };
  deps.onStored([...rejected.map(() => "rejected" as const), ...results.map(({ status }) => status)], took);
  const refused = sources.flatMap(({ offset }, i) => (isRefused(results[i]) ? [offset] : []));
  const next: Place = { value: [to, ...refused].join(" "), next: to, refused };
  if (refused.length === 0) return next;
  await deps.deadLetters.send(sources.flatMap((source, i) => refusalOf(deps, part, source, results[i])));
  return clearRefused(deps, part, next);
}

function isRefused(result: AcceptResult | undefined): boolean {
  return result?.status === "conflict" || result?.status === "failed";
}

function refusalOf(
  deps: TopicImportDeps,
  part: string,
  source: InMessage,
  result: AcceptResult | undefined,
): OutMessage[] {
  if (result?.status === "conflict") return [letterOf(deps, part, source, "conflict", [CONFLICT])];
  if (result?.status !== "failed") return [];
  const failed = { pointer: "", message: result.reason, expected: "a call that the store takes", received: "this one" };
  return [letterOf(deps, part, source, "failed", [failed])];
}

const CONFLICT: FieldError = {
  pointer: "/call_id",
  message: "belongs to another call, or to this one with other content",
  expected: "an id of its own",
  received: "one that is taken",
};

/** Sends the letters that whoever refused the messages may not have sent. */
async function settleRefused(deps: TopicImportDeps, part: string, place: Place): Promise<Place> {
  const found: InMessage[] = [];
  for (const offset of place.refused) {
    const [batch] = await deps.topic.read(new Map([[part, offset]]));
    found.push(...(batch?.messages ?? []).filter((message) => message.offset === offset));
  }
  const letters = found.map((message) => letterOf(deps, part, message, "conflict", [CONFLICT]));
  if (letters.length > 0) await deps.deadLetters.send(letters);
  return (await clearRefused(deps, part, place)) ?? readPlace(await deps.jobs.bookmark(bookmarkOf(part)));
}

async function clearRefused(deps: TopicImportDeps, part: string, place: Place): Promise<Place | null> {
  const to = String(place.next);
  const mark = { name: bookmarkOf(part), from: place.value, to, places: [] };
  if ((await deps.calls.acceptFrom([], PRIORITY.bulk, mark)) === null) return null;
  return { value: to, next: place.next, refused: [] };
}

/** The message as it came, with what is wrong with it in its headers. */
function letterOf(
  { topicName }: TopicImportDeps,
  part: string,
  { key, value, offset }: InMessage,
  status: MessageResult,
  errors: readonly FieldError[],
): OutMessage {
  const fits = value.length <= LETTER_BYTES;
  return {
    key,
    value: fits ? value : Buffer.alloc(0),
    headers: {
      "earshot-status": status,
      "earshot-errors": JSON.stringify(errors.slice(0, LETTER_ERRORS)),
      "earshot-source": `${topicName}/${part.slice(part.lastIndexOf(":") + 1)}/${offset}`,
      ...(!fits && { "earshot-left-out": `${value.length} bytes` }),
    },
  };
}

function readPlace(value: string | null): Place {
  if (value === null) return { value, next: null, refused: [] };
  const [next = 0, ...refused] = value.split(" ").map(Number);
  return { value, next, refused };
}
