/** The PostgreSQL store: a pool of connections, any number of processes beside this one. */
import { AppError } from "../../../errors.ts";
import type { Positions } from "../../../ports/positions.ts";
import { makeAccounts } from "../accounts.ts";
import { makeIdempotency } from "../idempotency.ts";
import { makeJobs } from "../jobs.ts";
import { makeLiveCalls } from "../live-calls.ts";
import { makeOriginals } from "../originals.ts";
import { isHalfMoved } from "../move/target.ts";
import { SearchWords } from "../search-words.ts";
import { ROLLUPS } from "../statements.ts";
import type { Store, StoreLog } from "../store.ts";
import { makeWork } from "../work.ts";
import { makeCalls } from "./calls.ts";
import { Database } from "./database.ts";
import { EventLog } from "./events.ts";
import { migrate } from "./migrate.ts";
import { Partitions } from "./partitions.ts";
import { installPoints } from "./points-install.ts";
import { PointIndex } from "./points-index.ts";
import { formatPosition } from "./position.ts";
import { makeReads } from "./read-calls.ts";
import type { ReadLimits } from "./read-list.ts";
import { Replicas } from "./replicas.ts";
import { daysDiffer, makeRollups } from "./rollups.ts";
import { makeVectorRows } from "./vector-rows.ts";
import { PostgresWriter } from "./writer.ts";

export interface PostgresOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  /** Connections at most, beside one that listens; as many to each replica. */
  readonly pool: number;
  /** Streaming replicas that answer reads. */
  readonly replicas?: readonly string[];
  /** Whether pgvector keeps the vectors in columns of its own, to be asked. */
  readonly pgvector?: boolean;
  /** IANA name: the days of daily rollups. */
  readonly timezone: string;
  readonly log: StoreLog;
  /** Epoch ms. */
  readonly now?: () => number;
  /** Other limits for long reads (tests). */
  readonly limits?: Partial<ReadLimits>;
}

const LIMITS: ReadLimits = { step: 20_000, page_ms: 1_500, walk_ms: 1_000, patience_ms: 5_000 };
const PRUNE_STEP = 5_000;

/**
 * Opens the store, bringing its schema up to date. Rejects with store_unavailable and a sentence when the server cannot be
 * used or the schema was made by a newer Earshot.
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, pool, replicas = [], pgvector = false, timezone, log, now = Date.now } = options;
  const db = new Database({ url, pool });
  const reading = new Replicas(
    db,
    replicas.map((address) => new Database({ url: address, pool })),
  );
  try {
    await migrate(db);
    if (await isHalfMoved(db)) throw halfMoved();
    await db.transaction((tx) => tx.run(ROLLUPS.start, timezone));
    if (pgvector) await installPoints(db);
    const store = await assemble(db, reading, { timezone, log, now, limits: { ...LIMITS, ...options.limits } });
    return pgvector ? { ...store, points: new PointIndex({ db, reads: reading }) } : store;
  } catch (cause) {
    await reading.close();
    await db.close();
    throw cause;
  }
}

interface Parts {
  readonly timezone: string;
  readonly log: StoreLog;
  readonly now: () => number;
  readonly limits: ReadLimits;
}

async function assemble(db: Database, reading: Replicas, { timezone, log, now, limits }: Parts): Promise<Store> {
  const partitions = new Partitions(db);
  await partitions.ensure(now());
  const { key } = (await db.get<{ key: Buffer }>("SELECT key FROM full_text_key")) as { key: Buffer };
  const words = new SearchWords(key);
  const events = await EventLog.open(db, (error) => log.warn({ error }, "the event log could not be read"));
  const writer = new PostgresWriter({ db, partitions, words, agents: new Map(), days: new Map() }, () =>
    events.committed(),
  );
  const rollups = makeRollups({ writer, db: reading, timezone, now });
  if (await daysDiffer({ db, timezone })) {
    log.info({ timezone }, "the time zone of daily sums has changed: rebuilding them");
    rollups.rebuild(() => undefined).catch((error: unknown) => log.warn({ error }, "the daily sums were not rebuilt"));
  }
  return {
    calls: makeCalls({ writer, db, partitions, now }),
    reads: makeReads({ db: reading, words, partitions, limits }),
    rollups,
    events,
    work: makeWork({ writer, reader: db, now }),
    vectorRows: makeVectorRows(reading),
    accounts: makeAccounts({ writer, reader: db, now }),
    jobs: makeJobs({ writer, reader: db, now }),
    idempotency: makeIdempotency({ writer, now }),
    live: makeLiveCalls({ writer, reader: db, now }),
    originals: makeOriginals(db),
    positions: makePositions(db, reading),
    async pruneEvents(before) {
      let pruned = 0;
      for (;;) {
        const step = await writer.run("pruneEvents", { before, limit: PRUNE_STEP }, now());
        pruned += step;
        if (step < PRUNE_STEP) return pruned;
      }
    },
    backup: () => Promise.reject(noCopies()),
    describeCopy: () => Promise.reject(noCopies()),
    oldestWrite: () => writer.oldest(),
    commits: () => db.commits,
    async close() {
      await writer.close();
      await events.close();
      await reading.close();
      await db.close();
    },
  };
}

function halfMoved(): AppError {
  return new AppError(
    "store_unavailable",
    "A move into this database has not ended: run `earshot move` again, which goes on with it, or make an empty database",
  );
}

function makePositions(db: Database, reading: Replicas): Positions {
  return {
    current: () => formatPosition(db.position),
    during: (position, work) => reading.during(position, work),
  };
}

/** A server has its own ways, which know of its replicas and archives. */
function noCopies(): AppError {
  return new AppError(
    "validation",
    "The store is PostgreSQL: back it up with pg_dump --format=custom, or with pg_basebackup and an archive of its log, and restore with pg_restore (docs/operations.md)",
  );
}
