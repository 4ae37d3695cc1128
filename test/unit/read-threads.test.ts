import { afterEach, expect, test } from "vitest";
import { ReadThreads, type ReadThreadsOptions } from "../../src/adapters/sql/read-threads.ts";
import type { Question } from "../../src/adapters/sql/reader-thread.ts";
import { AppError } from "../../src/errors.ts";

const BROKEN = new URL("../support/broken-reader.ts", import.meta.url);
const everyone = { kind: "all" } as const;
const fine: Question = { kind: "numbers", query: { scope: everyone, filter: {}, limit: 1 } };
const dies: Question = { kind: "keyword", query: { scope: everyone, filter: {}, text: "x", limit: 1 } };
const page = { limit: 1, offset: 0, after: null };
const sort = { field: "start_time", descending: true } as const;
const nonsense: Question = { kind: "list", query: { scope: everyone, filter: {}, sort, page, total: false } };

let threads: ReadThreads;
const warnings: string[] = [];
afterEach(() => threads.close());

function start(more: Partial<ReadThreadsOptions>): ReadThreads {
  warnings.length = 0;
  const setup = { path: "/nowhere/calls.db", limits: { step: 10, gather: 10, deadline_ms: 10 } };
  const log = { warn: (_: Record<string, unknown>, message: string) => void warnings.push(message) };
  threads = new ReadThreads({ setup, threads: 1, log, queue: 4, silence_ms: 10_000, ...more });
  return threads;
}

const codeOf = async (answer: Promise<unknown>): Promise<string> => {
  const error: unknown = await answer.then(
    () => new Error("answered"),
    (cause: unknown) => cause,
  );
  return error instanceof AppError ? error.code : String(error);
};

test("a thread that dies or talks nonsense costs only the question it had; the next one is answered", async () => {
  const pool = start({ thread: BROKEN });
  const before = pool.ask(fine);
  const lost = codeOf(pool.ask(dies));
  const after = pool.ask(fine);
  const confused = codeOf(pool.ask(nonsense));
  expect(await before).toBe("fine");
  expect(await lost).toBe("store_unavailable");
  expect(await after).toBe("fine");
  expect(await confused).toBe("store_unavailable");
  expect(await pool.ask(fine)).toBe("fine");
  expect(warnings).toHaveLength(2);
});

test("a store that cannot be opened refuses, again and again, and closes", async () => {
  const pool = start({});
  for (let i = 0; i < 3; i++) expect(await codeOf(pool.ask(fine))).toBe("store_unavailable");
});

test("a full queue refuses at once, a closed pool refuses all", async () => {
  const pool = start({ thread: BROKEN, queue: 2 });
  const answers = Array.from({ length: 6 }, () => codeOf(pool.ask(fine)));
  expect((await Promise.all(answers)).filter((code) => code === "store_unavailable")).toHaveLength(3);
  const waiting = codeOf(pool.ask(fine));
  await pool.close();
  expect(await waiting).toBe("shutting_down");
  expect(await codeOf(pool.ask(fine))).toBe("shutting_down");
});

test("a silent thread is given up", async () => {
  const silent = new URL("../support/silent-reader.ts", import.meta.url);
  const pool = start({ thread: silent, silence_ms: 50 });
  expect(await codeOf(pool.ask(fine))).toBe("store_unavailable");
});
