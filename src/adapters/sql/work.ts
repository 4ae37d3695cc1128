/** Work over commands; counts and dead letters are read in steps. */
import type { Scope } from "../../core/call.ts";
import { PRIORITY } from "../../ports/calls.ts";
import type { DeadLetter, Work, WorkItem } from "../../ports/work.ts";
import type { Reads, Run, Writes } from "./engine.ts";
import { INTERN, WORK } from "./statements.ts";

const DEPTH_STEP = 20_000;
const DEAD_STEP = 500;
const REDRIVE_STEP = 1_000;
/** Less than this is the clock being disciplined. */
const CLOCK_STEP_MS = 2_000;
const CLOCK_LIMIT = 1_000;

interface DepthStep {
  readonly seen: number;
  readonly last: number;
  readonly ready: number;
  readonly running: number;
  readonly dead: number;
}

type Waiting = Pick<WorkItem, "call_no" | "priority">;

export function makeWork(deps: { writer: Writes; reader: Reads; now: () => number }): Work {
  const { writer, reader, now } = deps;
  let looked = Number.POSITIVE_INFINITY;
  return {
    async take(n, worker_id, lease_ms, call_nos) {
      const at = now();
      // At the first take too: the clock may have been put back while no process ran.
      const back = at < looked - CLOCK_STEP_MS;
      looked = at;
      if (back) while ((await writer.run("clockWentBack", { limit: CLOCK_LIMIT }, at)) >= CLOCK_LIMIT);
      if (call_nos !== undefined) return writer.run("take", { n, worker_id, lease_ms, call_nos }, at);
      if (!(await isDue(reader, at))) return [];
      return writer.run("take", { n, worker_id, lease_ms }, at);
    },
    async waiting(ms, limit) {
      const at = now() - ms;
      if (!(await isDue(reader, at))) return [];
      const found = await reader.all<Waiting>(WORK.abandoned, at, limit);
      for (const priority of Object.values(PRIORITY)) {
        if (found.length < limit)
          found.push(...(await reader.all<Waiting>(WORK.waiting, priority, at, limit - found.length)));
      }
      return found.toSorted((a, b) => a.priority - b.priority);
    },
    async renew(work_nos, worker_id, lease_ms) {
      return work_nos.length === 0 ? [] : writer.run("renew", { work_nos, worker_id, lease_ms }, now());
    },
    async fail(items, worker_id) {
      if (items.length > 0) await writer.run("fail", { items, worker_id }, now());
    },
    async release(work_nos, worker_id) {
      if (work_nos.length > 0) await writer.run("release", { work_nos, worker_id }, now());
    },
    requeueDegraded: (limit) => writer.run("requeueDegraded", { limit }, now()),
    depth: () => depth(reader, now()),
    dead: (limit, scope) => dead(reader, limit, scope),
    ...makeRedrive((...command) => writer.run(...command), now),
  };
}

/** Whether a take could find anything: a look that costs no write lock. */
async function isDue(reader: Reads, at: number): Promise<boolean> {
  const found = await reader.get<{ due: number | boolean }>(WORK.due, at, at, at, at, at);
  return Boolean(found?.due);
}

/** Dead letters back to work in steps, so that other writes do not wait. */
export function makeRedrive(run: Run<"redrive">, now: () => number): Pick<Work, "redrive"> {
  return {
    async redrive(call_id, scope) {
      let step: { redriven: number; after: number | null } = { redriven: 0, after: 0 };
      while (step.after !== null) {
        const { redriven, after } = step;
        step = await run("redrive", { call_id, scope, after, redriven, limit: REDRIVE_STEP }, now());
      }
      return step.redriven;
    },
  };
}

/** Counts in steps, letting the loop go on between them: a bulk import may leave millions waiting. */
async function depth(reader: Reads, now: number): ReturnType<Work["depth"]> {
  const counts = { ready: 0, running: 0, dead: 0 };
  let last = 0;
  for (;;) {
    const step = (await reader.get<DepthStep>(WORK.depthStep, last, DEPTH_STEP)) as DepthStep;
    counts.ready += step.ready;
    counts.running += step.running;
    counts.dead += step.dead;
    if (step.seen < DEPTH_STEP) break;
    last = step.last;
    await reader.turn();
  }
  const oldest: number[] = [];
  for (const priority of Object.values(PRIORITY)) {
    const found = await reader.get<{ created_at: number }>(WORK.oldest, priority);
    if (found) oldest.push(found.created_at);
  }
  // Also 0 where nothing waits: the least of nothing is infinite.
  return { ...counts, oldest_ms: Math.max(0, now - Math.min(...oldest)) };
}

/** Newest first, in steps: few of many may be in scope. */
async function dead(reader: Reads, limit: number, scope: Scope): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const step = await reader.all<DeadLetter>(WORK.dead, before, DEAD_STEP);
    for (const letter of step) {
      if (found.length >= limit) return found;
      if (await inScope(reader, scope, letter.agent_id)) found.push(letter);
    }
    const last = step.at(-1);
    if (!last) return found;
    before = last.work_no;
    await reader.turn();
  }
}

async function inScope(reader: Reads, scope: Scope, agent_id: string): Promise<boolean> {
  if (scope.kind === "all") return true;
  if (scope.kind === "agent") return scope.agent_id === agent_id;
  return (await reader.get<{ team: string | null }>(INTERN.team, agent_id))?.team === scope.team;
}
