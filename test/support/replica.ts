/** A server and a copy of it, both real processes, and whether the copy answers as the first one does. */
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { dirname, join } from "node:path";
import { type Connection, openForReading } from "../../src/adapters/sql/connection.ts";
import { generateDemo } from "../../src/demo/generate.ts";
import { freePort } from "./free-port.ts";
import { modelDir } from "./model.ts";
import { ADMIN_KEY, type Earshot, startEarshot, temporaryFolder } from "./process.ts";

export interface Pair {
  readonly primary: Earshot;
  readonly replica: Earshot;
  /** Database files. */
  readonly files: { readonly primary: string; readonly replica: string };
  startPrimary(): Promise<void>;
  /** `env` adds to what it always has. */
  startReplica(env?: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

interface PairOptions {
  /** The real model, so that there are vectors. */
  readonly model?: boolean;
  /** Settings of the primary alone. */
  readonly env?: Record<string, string>;
  /** A database that is copied to be the primary's. */
  readonly database?: string;
}

/** The primary runs; the replica is started by the test. */
export async function startPair({ model = false, env = {}, database }: PairOptions = {}): Promise<Pair> {
  const { path, cleanup } = await temporaryFolder();
  const port = await freePort();
  const files = { primary: join(path, "primary", "earshot.db"), replica: join(path, "replica", "earshot.db") };
  const common = {
    EARSHOT_MODEL_DIR: model ? await modelDir() : "statistical:",
    EARSHOT_LOG_LEVEL: "warn",
    EARSHOT_RATE_LIMIT: "0",
  };
  const running: { primary?: Earshot; replica?: Earshot } = {};
  const pair: Pair = {
    get primary() {
      return running.primary as Earshot;
    },
    get replica() {
      return running.replica as Earshot;
    },
    files,
    async startPrimary() {
      const own = { EARSHOT_DATA_DIR: join(path, "primary"), EARSHOT_PORT: String(port) };
      running.primary = await startEarshot({ ...common, ...own, ...env });
    },
    async startReplica(more = {}) {
      const own = {
        EARSHOT_DATA_DIR: join(path, "replica"),
        EARSHOT_REPLICA_OF: `http://127.0.0.1:${port}`,
        EARSHOT_REPLICA_KEY: ADMIN_KEY,
        EARSHOT_ADMIN_KEY: ADMIN_KEY,
      };
      const replica = await startEarshot({ ...common, ...own, ...more });
      running.replica = replica;
      if (model) await until(30_000, "the replica's model does not run", () => hasModel(replica));
    },
    async close() {
      await running.replica?.stop("SIGKILL");
      await running.primary?.stop("SIGKILL");
      await cleanup();
    },
  };
  if (database !== undefined) {
    mkdirSync(dirname(files.primary), { recursive: true });
    copyFileSync(database, files.primary);
  }
  await pair.startPrimary();
  return pair;
}

/** Made-up calls in one request, demo-0001 and on, or by another name. */
export async function sendDemo(to: Earshot, calls: number, seed = 7, name = "demo"): Promise<void> {
  const made = generateDemo({ seed, now: Date.UTC(2026, 5, 1), calls });
  const response = await to.call("POST", "/api/v1/calls/bulk", {
    calls: made.map(({ call }) => ({ ...call, call_id: call.call_id.replace("demo", name) })),
  });
  if (!response.ok) throw new Error(`bulk: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

/** Resolves when the primary has no work left; rejects after `patience_ms`. */
export async function drained(primary: Earshot, patience_ms = 60_000): Promise<void> {
  await until(patience_ms, "the primary still works", async () => {
    const { checks } = await primary.get<{ checks: { queue: { ready: number; running: number } } }>("/health/ready");
    return checks.queue.ready + checks.queue.running === 0;
  });
}

async function hasModel(server: Earshot): Promise<boolean> {
  const { checks } = (await (await server.call("GET", "/health/ready")).json()) as {
    checks: { models: { ok: boolean } };
  };
  return checks.models.ok;
}

async function headOf(server: Earshot): Promise<number> {
  let after = 0;
  for (;;) {
    const page = await server.get<{ next_after: number; events: unknown[] }>(
      `/api/v1/events?after=${after}&limit=1000`,
    );
    if (page.events.length === 0) return page.next_after;
    after = page.next_after;
  }
}

/** `Earshot-Replica-Lag` in parts; lag null where it is not known. */
export async function lagOf(replica: Earshot): Promise<{ lag: number | null; seq: number; behind: number }> {
  const response = await fetch(`${replica.url}/health`);
  const header = response.headers.get("earshot-replica-lag") ?? "";
  const [, lag, seq, behind] = /^(\?0|[\d.]+);seq=(\d+);behind=(\d+)$/.exec(header) ?? [];
  if (lag === undefined) throw new Error(`no lag in ${JSON.stringify(header)}`);
  return { lag: lag === "?0" ? null : Number(lag), seq: Number(seq), behind: Number(behind) };
}

/** Resolves when the replica has every event that the primary has now. */
export async function caughtUp({ primary, replica }: Pair, patience_ms = 30_000): Promise<void> {
  const head = await headOf(primary);
  await until(patience_ms, `the replica has not come to ${head}`, async () => {
    const { lag, seq } = await lagOf(replica);
    return lag !== null && seq >= head;
  });
}

/** Asks again and again: there is nothing to listen to at another process. */
export async function until(patience_ms: number, what: string, done: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patience_ms;
  while (!(await done())) {
    if (performance.now() > end) throw new Error(`${what} after ${patience_ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const LISTS = [
  "sort=-start_time",
  "sort=start_time&limit=7",
  "sort=customer_sentiment_score",
  "sort=-duration_seconds",
  "sort=-updated_at",
  "sort=agent_talk_ratio",
  "outcome=won",
  "max_sentiment=0",
  "view=full&limit=5",
];
const SEARCHES = ["price", "invoice wrong", "we cannot afford this", "thank you"];

interface Asked {
  readonly nudges: boolean;
  readonly searches: boolean;
}

/** Every read that both must answer alike. */
async function questions(primary: Earshot, { nudges, searches }: Asked): Promise<string[]> {
  const { calls } = await primary.get<{ calls: { call_id: string }[] }>("/api/v1/calls?limit=100");
  const some = calls.filter((_, i) => i % Math.ceil(calls.length / 12) === 0).map(({ call_id }) => call_id);
  return [
    ...LISTS.map((query) => `/api/v1/calls?${query}`),
    ...some.map((id) => `/api/v1/calls/${id}`),
    ...(nudges ? some.map((id) => `/api/v1/calls/${id}/recommendations`) : []),
    ...(searches ? SEARCHES : []).flatMap((q) =>
      ["keyword", "semantic", "hybrid"].map((mode) => `/api/v1/search?q=${encodeURIComponent(q)}&mode=${mode}`),
    ),
    "/api/v1/analytics/agents",
    "/api/v1/analytics/definitions",
    "/api/v1/dead-letters",
    "/api/v1/live",
  ];
}

/** What the two answer differently, in sentences; empty when nothing. Each process keeps the ranges that nudges are held against for
 *  a while: where calls came since it was asked last, `nudges` are its own. Engines rank `searches` by words differently. */
export async function differences(
  { primary, replica }: Pair,
  { nudges = true, searches = true } = {},
): Promise<string[]> {
  const wrong: string[] = [];
  for (const path of await questions(primary, { nudges, searches })) {
    const [there, here] = await Promise.all([primary.call("GET", path), replica.call("GET", path)]);
    const [left, right] = [await there.text(), await here.text()];
    if (!there.ok) wrong.push(`${path}: the primary answers ${there.status}`);
    if (there.status !== here.status) wrong.push(`${path}: ${there.status} and ${here.status}: ${right.slice(0, 300)}`);
    else if (!isDeepStrictEqual(JSON.parse(left), JSON.parse(right)))
      wrong.push(`${path}:\n${firstDifference(left, right)}`);
  }
  return wrong;
}

function firstDifference(left: string, right: string): string {
  let at = 0;
  while (left[at] === right[at]) at++;
  return `  ${left.slice(Math.max(0, at - 120), at + 120)}\n  ${right.slice(Math.max(0, at - 120), at + 120)}`;
}

/** What of the two files must be equal, row by row; the log from where the replica's begins. */
const TABLES = {
  calls: `SELECT call_no, call_id, agent_id, customer_id, language, start_time, created_at, updated_at, duration_seconds,
      agent_talk_ratio, customer_sentiment_score, outcome, revision, state, method, model, enriched_at, error,
      hex(digest) AS digest, in_full_text FROM call_records ORDER BY call_no`,
  insights: `SELECT call_no, hex(contribution) AS contribution FROM call_insights ORDER BY call_no`,
  vectors: `SELECT v.call_no, s.space_id, hex(v.call) AS call, hex(v.turns) AS turns, hex(c.code) AS code
    FROM call_vectors AS v JOIN call_codes AS c ON c.call_no = v.call_no JOIN vector_spaces AS s ON s.space_no = v.space_no
    ORDER BY v.call_no`,
  segments: `SELECT call_no, first_turn, last_turn, hex(code) AS code FROM segment_codes ORDER BY call_no, first_turn`,
  sums: `SELECT r.grain, r.bucket, a.agent_id, r.measure, r.n, r.sum_micro, r.squares_high, r.squares_low FROM rollups AS r
    JOIN rollup_state AS s ON s.serving = r.generation JOIN agents AS a ON a.agent_no = r.agent_no
    ORDER BY r.grain, r.bucket, a.agent_id, r.measure`,
  dead: `SELECT c.call_id, w.revision, w.attempts, w.error FROM work AS w JOIN call_records AS c ON c.call_no = w.call_no
    ORDER BY w.work_no`,
  live: `SELECT live_no, call_id, turns, position, scored, state FROM live_calls ORDER BY live_no`,
  log: `SELECT * FROM events WHERE seq > :after ORDER BY seq`,
} as const;

/** Tables whose rows differ; the primary must be idle. */
export function differingTables({ files }: Pick<Pair, "files">): string[] {
  const [there, here] = [openForReading(files.primary), openForReading(files.replica)];
  try {
    const { after } = here.prepare("SELECT coalesce(min(seq), 0) - 1 AS after FROM events").get() as { after: number };
    const rows = (db: Connection, sql: string): unknown[] =>
      sql.includes(":after") ? db.prepare(sql).all({ after }) : db.prepare(sql).all();
    const tables = Object.entries(TABLES).filter(([name]) => name !== "log" || after >= 0);
    return tables.filter(([, sql]) => !isDeepStrictEqual(rows(there, sql), rows(here, sql))).map(([name]) => name);
  } finally {
    there.close();
    here.close();
  }
}

/** Calls in a file that somebody writes; 0 while there is none. */
export function callsIn(file: string): number {
  if (!existsSync(file)) return 0;
  const db = openForReading(file);
  try {
    return (db.prepare("SELECT count(*) AS n FROM call_records").get() as { n: number }).n;
  } catch {
    // Its schema is being made.
    return 0;
  } finally {
    db.close();
  }
}
