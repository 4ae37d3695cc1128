/**
 * Databases with the seeded calls, made once and kept in .cache/bench. Earshot's is filled through its own store: accept,
 * take, saveEnrichment. The model does not run (200,000 calls would take it hours): sentiment, talk ratio and call vector
 * are the seed's, the other measures are computed from the words as always, turn vectors are made up near the call's topic.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { spawnSync } from "node:child_process";
import Database from "better-sqlite3";
import { chooseGraph } from "../src/adapters/models/model-folder.ts";
import { openSqlite } from "../src/adapters/sql/open.ts";
import { openPostgres } from "../src/adapters/sql/postgres/open.ts";
import type { Store } from "../src/adapters/sql/store.ts";
import type { AcceptedCall, Turn } from "../src/core/call.ts";
import { DIMENSIONS } from "../src/core/vector.ts";
import type { EnrichedCall } from "../src/ports/calls.ts";
import type { Inference } from "../src/ports/models.ts";
import { PRIORITY } from "../src/ports/calls.ts";
import { deriveCall } from "../src/services/enrich.ts";
import { modelDir } from "../test/support/model.ts";
import { PYTHON } from "./peer-python.ts";
import type { Seed, SeededCall } from "./seeded-calls.ts";
import { seedOf } from "./seeded-calls.ts";

const FOLDER = resolve(import.meta.dirname, "../.cache/bench");
const BATCH = 1_000;
const WORKER = "bench";

export interface Filling {
  readonly calls: number;
  /** Six short turns a call and no turn or segment vectors: what a million calls need to fit in minutes and 3 GB. */
  readonly slim?: boolean;
}

const log = { info: () => undefined, warn: console.error };

/** The path of a database with these calls; it must not be changed. */
export async function earshotDatabase({ calls, slim = false }: Filling): Promise<string> {
  return made(`earshot-${calls}${slim ? "-slim" : ""}.db`, async (path) => {
    const store = await openSqlite({ path, timezone: "UTC", readers: 1, log });
    try {
      await fillStore(store, { calls, slim });
    } finally {
      await store.close();
    }
  });
}

/** Puts these calls into an empty PostgreSQL database. */
export async function fillPostgres(url: string, filling: Filling): Promise<void> {
  const store = await openPostgres({ url, pool: 4, timezone: "UTC", log });
  try {
    await fillStore(store, filling);
  } finally {
    await store.close();
  }
}

async function fillStore(store: Store, { calls, slim = false }: Filling): Promise<void> {
  const { model, version, space_id } = await chooseGraph(await modelDir());
  const seed = seedOf(calls, slim ? 6 : 42);
  const pattern = derivePatterns(seed, { model, version, space_id });
  let batch: SeededCall[] = [];
  const flush = async () => {
    const byId = new Map(batch.map((c) => [c.call_id, c]));
    await store.calls.accept(
      batch.map((c) => accepted(c, pattern)),
      PRIORITY.bulk,
    );
    const items = await store.work.take(BATCH, WORKER, 600_000);
    const enriched = items.map((item): EnrichedCall => {
      const call = byId.get(item.call_id) as SeededCall;
      const { insights, vectors } = pattern[call.body] as Pattern;
      const { call_no, revision, work_no } = item;
      return {
        call_no,
        revision,
        work_no,
        worker_id: WORKER,
        method: "model",
        model,
        insights: {
          ...insights,
          measures: {
            ...insights.measures,
            customer_sentiment_score: call.sentiment,
            agent_talk_ratio: call.talk_ratio,
          },
        },
        vectors: {
          space_id,
          call: call.vector,
          turns: slim ? new Int8Array() : vectors.turns,
          segments: slim ? [] : vectors.segments,
        },
      };
    });
    const saved = await store.calls.saveEnrichment(enriched);
    if (saved.some((s) => s !== "saved") || saved.length !== batch.length) throw new Error("a seeded call was lost");
    batch = [];
  };
  let done = 0;
  for (const call of seed.calls()) {
    batch.push(call);
    if (batch.length === BATCH) await flush();
    done++;
    if (done % 50_000 === 0) console.error(`${done} of ${calls} calls seeded`);
  }
  if (batch.length > 0) await flush();
  await store.jobs.setBookmark("vectors.space", space_id);
}

/** The same calls in the peer's schema. */
export async function peerDatabase({ calls }: Filling): Promise<string> {
  return made(`peer-${calls}.db`, async (path) => {
    const made = spawnSync(PYTHON, ["-m", "app.models", path], {
      cwd: join(import.meta.dirname, "peer"),
      encoding: "utf8",
    });
    if (made.status !== 0) throw new Error(made.stderr);
    const db = new Database(path);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = OFF");
    db.pragma("cache_size = -256000");
    const insert = db.prepare(
      `INSERT INTO call_records (call_id, agent_id, customer_id, language, start_time, created_at, duration_seconds,
         transcript, agent_talk_ratio, customer_sentiment_score, embedding) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const seed = seedOf(calls);
    const texts = seed.texts.map((lines) => lines.join("\n"));
    db.transaction(() => {
      for (const c of seed.calls()) {
        const begun = stamp(c.start_time);
        const ended = stamp(c.start_time + 1_000 * c.duration_seconds);
        const vector = JSON.stringify(Array.from(c.vector, (x) => Math.round(x * 1e6) / 1e6));
        const who = [c.call_id, c.agent_id, c.customer_id, c.language, begun, ended, c.duration_seconds];
        insert.run(...who, texts[c.body], c.talk_ratio, c.sentiment, vector);
      }
    })();
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.close();
  });
}

/** As SQLAlchemy writes a DateTime. */
function stamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1).replace("T", " ")}000`;
}

async function made(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(FOLDER, name);
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  const half = join(FOLDER, `half-${process.pid}-${name}`);
  const began = performance.now();
  try {
    await make(half);
    renameSync(half, path);
  } finally {
    for (const end of ["", "-wal", "-shm"]) rmSync(half + end, { force: true });
  }
  console.error(`${name} made in ${Math.round((performance.now() - began) / 1_000)} s`);
  return path;
}

interface Pattern extends ReturnType<typeof deriveCall> {
  readonly turns: readonly Turn[];
  readonly vectors: NonNullable<ReturnType<typeof deriveCall>["vectors"]>;
}

/** What a call with each text has, its own values apart. */
function derivePatterns(seed: Seed, made: { model: string; version: string; space_id: string }): Pattern[] {
  return seed.texts.map((lines, body) => {
    const turns = lines.map((line, i): Turn => {
      const customer = line.startsWith("Customer: ");
      const text = line.slice(line.indexOf(": ") + 2);
      return { turn_id: String(i), speaker: customer ? "customer" : "agent", text, start_ms: null, end_ms: null };
    });
    const vectors = new Float32Array(turns.length * DIMENSIONS);
    for (const i of turns.keys()) vectors.set(seed.near(body), i * DIMENSIONS);
    const sentiment = Float32Array.from(turns, (_, i) => Math.sin(body + i) / 2);
    const inference: Inference = { method: "model", ...made, vectors, sentiment };
    const derived = deriveCall({ turns, language: "en", duration_seconds: 600 }, inference, Date.UTC(2025, 6, 1));
    return { ...derived, turns, vectors: derived.vectors as Pattern["vectors"] };
  });
}

function accepted(call: SeededCall, patterns: readonly Pattern[]): AcceptedCall {
  const { call_id, agent_id, customer_id, language, start_time, duration_seconds, body } = call;
  const { turns } = patterns[body] as Pattern;
  const digest = Number(call_id.slice(5)).toString(16).padStart(64, "0");
  return { call_id, agent_id, customer_id, language, start_time, duration_seconds, outcome: null, turns, digest };
}
