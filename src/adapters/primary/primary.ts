/** The server that a replica follows, over its public HTTP surface. */
import { setTimeout as delay } from "node:timers/promises";
import { fromWire } from "../../core/whole-call.ts";
import type { WireWholeCall } from "../../core/whole-call.ts";
import { AppError } from "../../errors.ts";
import type { EventRow } from "../../ports/events.ts";
import type { LogState, Part, Primary, Standing, WholeLiveCall } from "../../ports/replication.ts";

/** Nothing of an answer for so long: it will not come. */
const SILENCE_MS = 10_000;
/** Between tries to hear of changes; they are asked for anyway. */
const RETRY_MS = 1_000;

export interface PrimaryOptions {
  /** http://host:port, perhaps with a path. */
  readonly url: string;
  /** An admin's API key there. */
  readonly key: string;
}

type Line =
  | { readonly log: LogState }
  | { readonly event: EventRow }
  | { readonly call: WireWholeCall }
  | { readonly live: WholeLiveCall }
  | { readonly end: { readonly more: boolean } };

/** Connects when it is asked for something. Answers reject with an AppError that names the server. */
export function openPrimary(options: PrimaryOptions): Primary {
  const closing = new AbortController();
  const listeners = new Set<() => void>();
  let tag: string | null = null;
  let listening = false;

  const ask = async (path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(options.url.replace(/\/$/, "") + path, {
        headers: { authorization: `Bearer ${options.key}`, ...headers },
        signal: AbortSignal.any([closing.signal, signal]),
      });
    } catch (cause) {
      throw unreachable(options.url, cause);
    }
    if (response.ok || response.status === 304) return response;
    const problem = (await response.json().catch(() => null)) as { detail?: string } | null;
    const detail = problem?.detail ?? "it did not say why";
    throw new AppError("store_unavailable", `The primary ${options.url} answered ${response.status}: ${detail}`);
  };

  async function* parts(path: string): AsyncGenerator<Part> {
    const silence = new Silence();
    try {
      const response = await ask(path, silence.signal);
      for await (const line of lines(response, silence)) {
        const part = toPart(JSON.parse(line) as Line);
        yield part;
        if (part.kind === "end") return;
      }
    } catch (cause) {
      throw cause instanceof AppError ? cause : unreachable(options.url, cause);
    } finally {
      silence.end();
    }
    throw new AppError("store_unavailable", `The primary ${options.url} broke off in the middle of an answer`);
  }

  /** The feed wakes; what it says is read from the log. */
  async function listen(): Promise<void> {
    while (!closing.signal.aborted && listeners.size > 0) {
      try {
        const never = new AbortController();
        const response = await ask("/api/v1/stream/feed", never.signal, { accept: "text/event-stream" });
        for await (const _ of response.body ?? []) for (const listener of listeners) listener();
      } catch {
        // The next question finds out.
      }
      await delay(RETRY_MS, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
    listening = false;
  }

  return {
    changes: (seq, limit) => parts(`/api/v1/replication/changes?after=${seq}&limit=${limit}`),
    calls: (after, limit) => parts(`/api/v1/replication/calls?after=${after}&limit=${limit}`),
    async standing(again) {
      const silence = new Silence();
      try {
        const known = tag === null || again ? {} : { "if-none-match": tag };
        const response = await ask("/api/v1/replication/standing", silence.signal, known);
        if (response.status === 304) return null;
        const standing = (await response.json()) as Standing;
        tag = response.headers.get("etag");
        return standing;
      } catch (cause) {
        throw cause instanceof AppError ? cause : unreachable(options.url, cause);
      } finally {
        silence.end();
      }
    },
    onChange(listener) {
      const entry = () => listener();
      listeners.add(entry);
      if (!listening) {
        listening = true;
        void listen();
      }
      return () => void listeners.delete(entry);
    },
    close: () => closing.abort(),
  };
}

function unreachable(url: string, cause: unknown): AppError {
  return new AppError("store_unavailable", `The primary ${url} cannot be reached`, { cause });
}

/** Aborts what has not moved for a while. */
class Silence {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor() {
    this.broken();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something was heard. */
  broken(): void {
    this.end();
    this.#timer = setTimeout(() => this.#controller.abort(), SILENCE_MS).unref();
  }

  end(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

async function* lines(response: Response, silence: Silence): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  for await (const chunk of response.body ?? []) {
    silence.end();
    const pieces = decoder.decode(chunk as Uint8Array, { stream: true }).split("\n");
    for (const piece of pieces.slice(0, -1)) {
      yield [...rest, piece].join("");
      rest = [];
    }
    rest.push(pieces.at(-1) ?? "");
    silence.broken();
  }
}

function toPart(line: Line): Part {
  if ("log" in line) return { kind: "log", log: line.log };
  if ("event" in line) return { kind: "event", event: line.event };
  if ("call" in line) return { kind: "call", call: fromWire(line.call) };
  if ("live" in line) return { kind: "live", live: line.live };
  return { kind: "end", more: line.end.more };
}
