/** A reader thread: one read-only connection, one question at a time, each in one snapshot. */
import { parentPort, workerData } from "node:worker_threads";
import { AppError, type ErrorCode } from "../../errors.ts";
import type { CallReads } from "../../ports/calls.ts";
import { openForReading } from "./connection.ts";
import { keywordSearch } from "./read-keyword.ts";
import type { ListQuery } from "./read-list.ts";
import { Statements } from "./read-statements.ts";
import { listInSteps, numbersInSteps, type WalkLimits } from "./read-walk.ts";
import { storeFault } from "./store-error.ts";

export interface ReaderSetup {
  readonly path: string;
  readonly limits: WalkLimits;
}

export type Question =
  | { readonly kind: "list"; readonly query: ListQuery }
  | { readonly kind: "numbers"; readonly query: Parameters<CallReads["numbers"]>[0] }
  | { readonly kind: "keyword"; readonly query: Parameters<CallReads["keyword"]>[0] };

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly code: ErrorCode | null; readonly message: string };

/** Vector filters wait longer than a page: without all numbers there is no answer. */
const NUMBERS_FACTOR = 5;

const now = () => performance.now();

function start(setup: ReaderSetup, port: NonNullable<typeof parentPort>): void {
  const { limits } = setup;
  const db = openForReading(setup.path);
  const statements = new Statements(db);
  const answer = db.transaction(({ kind, query }: Question): unknown => {
    if (kind === "list") return listInSteps(statements, query, limits, now);
    if (kind === "keyword") return keywordSearch(statements, query, limits, now);
    return numbersInSteps(statements, query, { ...limits, deadline_ms: limits.deadline_ms * NUMBERS_FACTOR }, now);
  });
  port.on("message", ({ id, question }: { id: number; question: Question }) => {
    let reply: Answer;
    try {
      reply = { id, ok: true, value: answer(question) };
    } catch (cause) {
      const known = cause instanceof AppError ? cause : storeFault(cause);
      const message = cause instanceof Error ? cause.message : String(cause);
      reply = { id, ok: false, code: known?.code ?? null, message: known?.message ?? message };
    }
    port.postMessage(reply);
  });
}

if (parentPort !== null) start(workerData as ReaderSetup, parentPort);
