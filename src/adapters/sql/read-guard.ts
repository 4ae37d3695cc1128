/** Long reads behind a breaker: none is waited for longer than its patience, and when several in a row hung, none is asked. */
import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  ConsecutiveBreaker,
  handleType,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from "cockatiel";
import { AppError } from "../../errors.ts";
import type { ReadThreads } from "./read-threads.ts";
import type { Question } from "./reader-thread.ts";

/** Threads that die are started again by ReadThreads; here only silence counts. */
const HUNG_IN_A_ROW = 3;

export type BreakerState = "closed" | "half-open" | "open";

export interface ReadGuardOptions {
  readonly threads: Pick<ReadThreads, "ask">;
  /** For one question, waiting for a thread included, ms. */
  readonly patience_ms: (kind: Question["kind"]) => number;
  /** How long nothing is asked before one question is let through to see, ms. */
  readonly pause_ms: number;
  readonly onChange: (state: BreakerState) => void;
}

const NAMES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: "closed",
  [CircuitState.HalfOpen]: "half-open",
  [CircuitState.Open]: "open",
  [CircuitState.Isolated]: "open",
};

/** `ask` as of ReadThreads. Rejects with store_unavailable also when it took too long or the breaker is open. */
export function guardReads(options: ReadGuardOptions): <T>(question: Question) => Promise<T> {
  const { threads, patience_ms, pause_ms, onChange } = options;
  const breaker = circuitBreaker(handleType(TaskCancelledError), {
    halfOpenAfter: pause_ms,
    breaker: new ConsecutiveBreaker(HUNG_IN_A_ROW),
  });
  breaker.onStateChange((state) => onChange(NAMES[state]));
  const kinds: readonly Question["kind"][] = ["list", "numbers", "keyword"];
  const policies = new Map(
    kinds.map((kind) => [kind, wrap(breaker, timeout(patience_ms(kind), TimeoutStrategy.Aggressive))]),
  );
  return async <T>(question: Question): Promise<T> => {
    try {
      const ask = (signal: AbortSignal) => threads.ask<T>(question, signal);
      return await (policies.get(question.kind) as NonNullable<ReturnType<typeof policies.get>>).execute(({ signal }) =>
        ask(signal),
      );
    } catch (cause) {
      if (cause instanceof TaskCancelledError) {
        throw new AppError("store_unavailable", "The store took too long to answer", { cause, retryAfter: 1 });
      }
      if (cause instanceof BrokenCircuitError) {
        const detail = "Long reads have hung several times in a row; they are tried again soon";
        throw new AppError("store_unavailable", detail, { cause, retryAfter: Math.ceil(pause_ms / 1000) });
      }
      throw cause;
    }
  };
}
