/** The HTTP surface over a real store, index and models; every JSON answer is held against the OpenAPI document. */
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ValidateFunction } from "ajv";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { LightMyRequestResponse } from "fastify";
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import Database from "better-sqlite3";
import { pino } from "pino";
import { memoryCache } from "../../src/adapters/cache/memory.ts";
import { openModels } from "../../src/adapters/models/open-models.ts";
import type { OpenedModels } from "../../src/adapters/models/open-models.ts";
import { openSqlite } from "../../src/adapters/sql/open.ts";
import type { SqliteOptions, SqliteStore } from "../../src/adapters/sql/open.ts";
import { type OpenVectors, openVectors } from "../../src/adapters/vectors/embedded.ts";
import { fill } from "../../src/adapters/vectors/fill.ts";
import type { App, HttpConfig } from "../../src/http/deps.ts";
import type { RateLimits } from "../../src/http/limits.ts";
import { buildServer } from "../../src/http/server.ts";
import { createMetrics, type Metrics } from "../../src/observe/metrics.ts";
import { createBackups } from "../../src/services/backups.ts";
import { addKey } from "../../src/services/access.ts";
import { enrichBatch } from "../../src/services/enrich.ts";
import { createIndexHost, type IndexLimits } from "../../src/services/index-host.ts";
import type { Role } from "../../src/ports/accounts.ts";
import { modelDataDir, modelDir } from "./model.ts";
import { silent, temporary } from "./sqlite-store.ts";

export const ADMIN_KEY = "test-admin-key-0123456789";
export const JWT_SECRET = "test-secret-0123456789-0123456789-0123456789";

type Json = Record<string, unknown>;

interface Answer<T = Json> {
  readonly status: number;
  readonly headers: LightMyRequestResponse["headers"];
  readonly body: T;
  readonly text: string;
}

interface Ask {
  readonly key?: string | null;
  readonly body?: unknown;
  /** Sent as it is, beside `type`. */
  readonly raw?: string | Buffer;
  readonly type?: string;
  readonly headers?: Record<string, string>;
}

/** What tests look at in application/problem+json. */
export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { pointer: string; message: string; expected: string; received: string }[];
}

export interface TestHttp {
  readonly app: App;
  readonly store: SqliteStore;
  readonly models: OpenedModels;
  readonly document: Document;
  readonly metrics: Metrics;
  /** The database file. */
  readonly path: string;
  /** Sends as the admin unless told otherwise; fails when the answer does not fit the document. */
  ask<T = Json>(method: string, url: string, ask?: Ask): Promise<Answer<T>>;
  key(role: Role, of?: { agent_id?: string; team?: string }): Promise<{ key: string; account_id: string }>;
  /** Enriches all that waits and lets the index follow. */
  enrich(): Promise<void>;
  /** Holds the write lock of the database file as another process would; call the answer to let go. */
  lock(): () => void;
  /** Lines of the log, parsed. */
  readonly log: Json[];
  close(): Promise<void>;
}

interface Operation {
  readonly security: readonly object[];
  readonly "x-roles"?: readonly Role[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: object }> }>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export async function startHttp(
  options: {
    model?: boolean;
    config?: Partial<HttpConfig>;
    limits?: RateLimits;
    now?: () => number;
    lockWaitMs?: number;
    reads?: SqliteOptions["reads"];
    index?: Pick<OpenVectors, "thread" | "silence_ms"> & { limits?: Partial<IndexLimits> };
  } = {},
): Promise<TestHttp> {
  const { path, remove } = temporary();
  const now = options.now ?? Date.now;
  const store = await openSqlite({
    path,
    timezone: "UTC",
    readers: 1,
    log: silent,
    now,
    lock_wait_ms: options.lockWaitMs ?? 5_000,
    onBreaker: (state) => metrics.breakerChanged("long-reads", state),
    ...(options.reads && { reads: options.reads }),
  });
  const models = openModels({
    modelDir: options.model ? await modelDir() : null,
    dataDir: modelDataDir(),
    threads: 1,
    autoPull: false,
  });
  const state = await models.settled();
  const lines: Json[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line) as Json) });
  const metrics: Metrics = createMetrics(store.work);
  const { limits: indexLimits = {}, ...thread } = options.index ?? {};
  const index = createIndexHost({
    events: store.events,
    rows: store.vectorRows,
    open(space_id) {
      const vectors = openVectors({ rows: store.vectorRows, spaceId: space_id, log, ...thread });
      const { ended } = vectors;
      return { vectors, ended, fill: (kind) => fill(vectors, store.vectorRows, kind, space_id) };
    },
    onError: (error) => log.error({ error }, "index"),
    onChange: (whole) => metrics.degraded("index", !whole),
    limits: indexLimits,
  });
  await index.use(state.space_id ?? "none");
  const app = await buildServer({
    store,
    models,
    vectors: index.vectors,
    cache: memoryCache({ now }),
    metrics,
    oldestWrite: () => store.oldestWrite(),
    limits: options.limits ?? { account: null, address: null },
    config: {
      jwtSecrets: [JWT_SECRET],
      adminKey: ADMIN_KEY,
      version: "0.0.0-test",
      timezone: "UTC",
      corsOrigins: ["https://crm.example.com"],
      ...options.config,
    },
    log,
    now,
    backups: createBackups({
      copies: store,
      version: "0.0.0-test",
      now,
      jobs: store.jobs,
      folder: join(dirname(path), "backups"),
      onError: (error) => log.error({ error }, "backup"),
    }),
  });
  const document = app.swagger() as unknown as Document;
  const check = checker(document);
  return {
    app,
    store,
    models,
    document,
    metrics,
    path,
    log: lines,
    async ask<T = Json>(method: string, url: string, ask: Ask = {}): Promise<Answer<T>> {
      const key = ask.key === undefined ? ADMIN_KEY : ask.key;
      const payload = ask.raw ?? (ask.body === undefined ? undefined : JSON.stringify(ask.body));
      const response = await app.inject({
        method: method as "GET",
        url,
        headers: {
          ...(key !== null && { authorization: `Bearer ${key}` }),
          ...(payload !== undefined && { "content-type": ask.type ?? "application/json" }),
          ...ask.headers,
        },
        ...(payload !== undefined && { payload }),
        // An event stream has no end: it is left when it has begun.
        ...(url.startsWith("/api/v1/stream/") && { payloadAsStream: true }),
      });
      const text = url.startsWith("/api/v1/stream/") ? await beginning(response) : response.body;
      const isJson = (response.headers["content-type"] ?? "").includes("json");
      const body = isJson && text !== "" ? (JSON.parse(text) as unknown) : null;
      if (body !== null) check(method, url, response.statusCode, body);
      return { status: response.statusCode, headers: response.headers, body: body as T, text };
    },
    async key(role, of = {}) {
      const fields = { name: `${role} ${randomBytes(4).toString("hex")}`, role };
      const made = await addKey(
        { accounts: store.accounts, now },
        { ...fields, agent_id: of.agent_id ?? null, team: of.team ?? null },
      );
      return { key: made.key, account_id: made.account.account_id };
    },
    async enrich() {
      for (;;) {
        const items = await store.work.take(50, "test", 60_000);
        if (items.length === 0) break;
        const { failed } = await enrichBatch(
          { reads: store.reads, calls: store.calls, models, now },
          { items, worker_id: "test" },
        );
        if (failed[0]) throw failed[0].error;
      }
      while ((await index.lag()) !== 0) await turnOfTheLoop();
    },
    lock() {
      const other = new Database(path);
      other.exec("BEGIN IMMEDIATE");
      return () => {
        other.exec("ROLLBACK");
        other.close();
      };
    },
    async close() {
      await app.close();
      await index.close();
      await models.close();
      await store.close();
      remove();
    },
  };
}

/** The first piece of a stream, or all of an answer that is none. */
async function beginning(response: LightMyRequestResponse): Promise<string> {
  const whole = !String(response.headers["content-type"]).startsWith("text/event-stream");
  let text = "";
  for await (const piece of response.stream()) {
    text += String(piece);
    if (!whole) break;
  }
  return text;
}

/** Throws when a JSON answer does not fit what the document says of its operation and status. */
export function checker(document: Document): (method: string, url: string, status: number, body: unknown) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: "doc", components: document.components });
  const compiled = new Map<object, ValidateFunction>();
  const paths = Object.entries(document.paths).map(([path, item]) => ({
    // A fixed segment counts before a parameter: /calls/bulk is not /calls/{call_id}.
    test: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    fixed: !path.includes("{"),
    item,
  }));
  return (method, url, status, body) => {
    const bare = url.split("?")[0] ?? "";
    const item = paths.filter((p) => p.test.test(bare)).toSorted((a, b) => Number(b.fixed) - Number(a.fixed))[0]?.item;
    const operation = item?.[method.toLowerCase()];
    const answer = operation?.responses[String(status)] ?? operation?.responses["default"];
    const schema =
      status >= 400 && !answer?.content?.["application/json"]
        ? { $ref: "#/components/schemas/Problem" }
        : answer?.content?.["application/json"]?.schema;
    if (schema === undefined) {
      if (operation !== undefined) throw new Error(`${method} ${bare}: status ${status} is not in the document`);
      return;
    }
    const key = answer ?? document;
    let validate = compiled.get(key);
    if (!validate) {
      const text = JSON.stringify(schema).replaceAll('"#/components/', '"doc#/components/');
      validate = ajv.compile(JSON.parse(text) as object);
      compiled.set(key, validate);
    }
    if (!validate(body)) {
      const why = validate.errors?.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`).join("; ");
      throw new Error(`${method} ${bare} ${status} does not fit the document: ${why}`);
    }
  };
}
