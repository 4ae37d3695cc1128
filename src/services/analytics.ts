/** Figures per agent from the rollups, and their recalculation. */
import type { Scope } from "../core/call.ts";
import type { MeasureName } from "../core/measures.ts";
import { summarize } from "../core/stats.ts";
import type { Job, Jobs } from "../ports/jobs.ts";
import type { MeasureSum, Rollups } from "../ports/rollups.ts";
import { newJob, tellJob } from "./running-job.ts";

/** A mean over calls with what tells how far to trust it. */
interface Average {
  readonly mean: number | null;
  readonly n: number;
  readonly sd: number | null;
  /** 95 % interval of the mean (Student's t); null below two calls. */
  readonly ci95: readonly [number, number] | null;
}

export interface AgentAverages {
  readonly agent_id: string;
  readonly total_calls: number;
  /** By mean sentiment among agents with enough calls, 1 is best, equal means share it; null for the others. */
  readonly rank: number | null;
  readonly sentiment: Average;
  readonly talk_ratio: Average;
}

const MEASURES = ["customer_sentiment_score", "agent_talk_ratio"] as const satisfies readonly MeasureName[];

function average(sum: MeasureSum | undefined): Average {
  const s = sum && summarize(sum);
  if (!s) return { mean: null, n: 0, sd: null, ci95: null };
  return { mean: s.mean, n: s.n, sd: s.sd, ci95: s.low === null || s.high === null ? null : [s.low, s.high] };
}

/** One row an agent in scope, best mean sentiment first, agents without one last, ties by agent_id. */
export async function agentAverages(
  { rollups }: { rollups: Pick<Rollups, "agents"> },
  input: { scope: Scope; rankMinimum: number },
): Promise<AgentAverages[]> {
  const sums = await rollups.agents({ scope: input.scope, measures: MEASURES });
  const rows = sums.map((s) => ({
    agent_id: s.agent_id,
    total_calls: s.total_calls,
    sentiment: average(s.measures.customer_sentiment_score),
    talk_ratio: average(s.measures.agent_talk_ratio),
  }));
  const sorted = rows.toSorted(
    (a, b) =>
      (b.sentiment.mean ?? Number.NEGATIVE_INFINITY) - (a.sentiment.mean ?? Number.NEGATIVE_INFINITY) ||
      (a.agent_id < b.agent_id ? -1 : 1),
  );
  const ranked = sorted.flatMap((a) => (a.sentiment.n >= input.rankMinimum ? (a.sentiment.mean ?? []) : []));
  return sorted.map(({ agent_id, total_calls, sentiment, talk_ratio }) => {
    // An agent sees itself alone: a rank among one says nothing.
    const better = sentiment.mean === null ? -1 : ranked.indexOf(sentiment.mean);
    const rank = sentiment.n >= input.rankMinimum && better >= 0 && ranked.length > 1 ? better + 1 : null;
    return { agent_id, total_calls, rank, sentiment, talk_ratio };
  });
}

export interface Overview {
  readonly agents: number;
  readonly total_calls: number;
  readonly sentiment: Average;
  readonly talk_ratio: Average;
}

/** The same figures over every call in scope. */
export async function overview(
  { rollups }: { rollups: Pick<Rollups, "agents"> },
  input: { scope: Scope },
): Promise<Overview> {
  const sums = await rollups.agents({ scope: input.scope, measures: MEASURES });
  const total = (name: (typeof MEASURES)[number]): MeasureSum =>
    sums.reduce<MeasureSum>(
      (t, s) => {
        const m = s.measures[name];
        return m ? { n: t.n + m.n, sum: t.sum + m.sum, sum_squares: t.sum_squares + m.sum_squares } : t;
      },
      { n: 0, sum: 0, sum_squares: 0 },
    );
  return {
    agents: sums.length,
    total_calls: sums.reduce((n, s) => n + s.total_calls, 0),
    sentiment: average(total("customer_sentiment_score")),
    talk_ratio: average(total("agent_talk_ratio")),
  };
}

export interface Recalculation {
  /** Starts a rebuild, or joins the one that runs. `done` resolves when it has ended, failed or not. With the `begin` of
   *  a request key that was used before, the job it began then; nothing starts. */
  start(via?: Pick<Jobs, "begin">): Promise<{ job: Job; done: Promise<void> }>;
}

const PROGRESS_MS = 500;

/** Rebuilding rollups as a job, one at a time in this process. */
export function createRecalculation(deps: {
  rollups: Pick<Rollups, "rebuild">;
  jobs: Pick<Jobs, "put" | "begin">;
  now: () => number;
  onError: (error: unknown) => void;
  /** Told of every rebuild that came to its end. */
  onDone?: (job: Job) => void;
}): Recalculation {
  const { rollups, jobs, now, onError, onDone = () => undefined } = deps;
  let running: { job: Job; done: Promise<void> } | null = null;
  /** Starts follow one another, so that each sees whether the one before it began something. */
  let turn: Promise<unknown> = Promise.resolve();

  async function rebuild(started: Job): Promise<void> {
    const news = tellJob(deps, started, PROGRESS_MS);
    try {
      const { differences, ...counts } = await rollups.rebuild((done, total) => news.progress({ done, total }));
      onDone(
        await news.end((job) => ({ state: "done", counts: { ...job.counts, ...counts }, report: { differences } })),
      );
    } catch (error) {
      onError(error);
      const detail = "The rebuild failed; the figures are as before. The log says why.";
      await news.end(() => ({ state: "failed", detail })).catch(onError);
    } finally {
      running = null;
    }
  }

  async function begin(via: Pick<Jobs, "begin">): Promise<{ job: Job; done: Promise<void> }> {
    // It may end while the write is awaited.
    const current = running;
    if (current !== null) return { job: await via.begin(current.job), done: current.done };
    const job = newJob("recalculate", now());
    const begun = await via.begin(job);
    if (begun.job_id !== job.job_id) return { job: begun, done: Promise.resolve() };
    running = { job, done: rebuild(job) };
    return running;
  }

  return {
    start(via = jobs) {
      const started = turn.then(() => begin(via));
      turn = started.catch(() => undefined);
      return started;
    },
  };
}
