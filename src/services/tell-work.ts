/** Writes that make work tell the workers as soon as it is on disk. */
import type { AcceptResult, Calls, Priority } from "../ports/calls.ts";
import type { Dispatch, Notice } from "../ports/dispatch.ts";
import type { Idempotency, KeyedWrites } from "../ports/idempotency.ts";
import type { LiveCalls } from "../ports/live-calls.ts";
import type { Work } from "../ports/work.ts";
import { PRIORITY } from "../ports/calls.ts";

type Telling = Pick<Dispatch, "dispatch">;

interface Writes {
  readonly calls: Calls;
  readonly live: LiveCalls;
  readonly work: Work;
  readonly idempotency: Idempotency;
}

/** The same writes, each followed by what the workers are to be told. */
export function tellWork(writes: Writes, workers: Telling): Writes {
  const { calls, live, work, idempotency } = writes;
  return {
    calls: { ...calls, ...tellCalls(calls, workers), ...tellSource(calls, workers) },
    live: { ...live, ...tellLive(live, workers) },
    work: { ...work, ...tellRedrive(work, workers) },
    idempotency: {
      ...idempotency,
      under(key, onReplay) {
        const keyed = idempotency.under(key, onReplay);
        return {
          ...keyed,
          calls: { ...keyed.calls, ...tellCalls(keyed.calls, workers) },
          live: { ...keyed.live, ...tellLive(keyed.live, workers) },
          work: tellRedrive(keyed.work, workers),
        };
      },
    },
  };
}

function tellCalls(
  calls: KeyedWrites["calls"],
  workers: Telling,
): Pick<KeyedWrites["calls"], "accept" | "replace" | "reprocess"> {
  return {
    async accept(batch, priority) {
      const results = await calls.accept(batch, priority);
      workers.dispatch(accepted(results, priority));
      return results;
    },
    async replace(call, priority) {
      const result = await calls.replace(call, priority);
      if (result.status !== "conflict") workers.dispatch([{ call_no: result.call_no, priority }]);
      return result;
    },
    async reprocess(call_id, scope, priority) {
      const result = await calls.reprocess(call_id, scope, priority);
      if (result !== null) workers.dispatch([unnamed(priority)]);
      return result;
    },
  };
}

function tellSource(calls: Calls, workers: Telling): Pick<Calls, "acceptFrom"> {
  return {
    async acceptFrom(batch, priority, mark) {
      const results = await calls.acceptFrom(batch, priority, mark);
      workers.dispatch(accepted(results ?? [], priority));
      return results;
    },
  };
}

function tellLive(live: KeyedWrites["live"], workers: Telling): Pick<LiveCalls, "end"> {
  return {
    async end(end) {
      const result = await live.end(end);
      if (result.status === "ended") workers.dispatch([{ call_no: result.call_no, priority: PRIORITY.live }]);
      return result;
    },
  };
}

function tellRedrive(work: KeyedWrites["work"], workers: Telling): Pick<Work, "redrive"> {
  return {
    async redrive(call_id, scope) {
      const redriven = await work.redrive(call_id, scope);
      if (redriven > 0) workers.dispatch([unnamed(PRIORITY.single)]);
      return redriven;
    },
  };
}

const accepted = (results: readonly AcceptResult[], priority: Priority): Notice[] =>
  results.flatMap((r) => (r.status === "accepted" ? { call_no: r.call_no, priority } : []));

const unnamed = (priority: Priority): Notice => ({ call_no: null, priority });
