/** The SQLite store as the source of a move: one writing connection, beside whoever else has the file open. */
import { randomUUID } from "node:crypto";
import { AppError } from "../../../errors.ts";
import {
  MOVE_FIRST,
  MOVE_KINDS,
  type MoveKind,
  type MoveMark,
  type MovePart,
  type MoveSource,
} from "../../../ports/move.ts";
import { type Connection, openForWriting } from "../connection.ts";
import { monthOf } from "../postgres/partitions.ts";
import { WriteContext } from "../write-context.ts";
import { settle } from "../write-settle.ts";
import { marksSql, unmarkSql } from "./marks.ts";

/** Keys in a part: what one transaction copies, some megabytes, and what is copied anew where one of them is written to. */
const PART_KEYS: Readonly<Record<MoveKind, number>> = {
  calls: 500,
  events: 20_000,
  keys: 5_000,
  rollups: 64,
  live: 1,
  rest: 1,
};
const LAST: Readonly<Record<MoveKind, string>> = {
  calls: "SELECT max(call_no) AS n FROM call_records",
  events: "SELECT max(seq) AS n FROM events",
  keys: "SELECT max(expires_at) AS n FROM idempotency_keys",
  rollups: "SELECT max(bucket) AS n FROM rollups",
  live: "SELECT 0 AS n",
  rest: "SELECT 0 AS n",
};
const NTH: Readonly<Partial<Record<MoveKind, string>>> = {
  calls: "SELECT call_no AS n FROM call_records WHERE call_no > ? AND call_no <= ? ORDER BY call_no LIMIT 1 OFFSET ?",
  events: "SELECT seq AS n FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT 1 OFFSET ?",
  keys: `SELECT expires_at AS n FROM idempotency_keys WHERE expires_at > ? AND expires_at <= ?
    ORDER BY expires_at LIMIT 1 OFFSET ?`,
  rollups: `SELECT n FROM (SELECT DISTINCT bucket AS n FROM rollups WHERE bucket > ? AND bucket <= ?)
    ORDER BY n LIMIT 1 OFFSET ?`,
};
const CAME_AFTER = "SELECT created_at AS n FROM call_records WHERE created_at >= ? ORDER BY created_at LIMIT 1";
const SECOND_TRY_S = 2;
const MOVED_TRY_S = 30;
const FOR_EVER = Number.MAX_SAFE_INTEGER;

interface State {
  readonly move_id: string;
  readonly target: string;
  readonly moved: number;
  readonly refused_until: number;
}

/** Opens a store to move it away; its schema is brought up to date. `now`: epoch ms. */
export function openMoveSource(path: string, now: () => number): MoveSource {
  const db = openForWriting(path);
  try {
    return makeSource(db, now);
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** Takes the marks of a move away: whoever serves the store may write again. False where there are none. */
export function undoMove(path: string): boolean {
  const db = openForWriting(path);
  try {
    if (stateOf(db) === null) return false;
    unmark(db);
    return true;
  } finally {
    db.close();
  }
}

function stateOf(db: Connection): State | null {
  const has = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'move_state'").get();
  return has ? (db.prepare("SELECT move_id, target, moved, refused_until FROM move_state").get() as State) : null;
}

function unmark(db: Connection): void {
  db.transaction(() => {
    for (const sql of unmarkSql()) db.exec(sql);
  }).immediate();
}

function makeSource(db: Connection, now: () => number): MoveSource {
  const context = new WriteContext(db, "UTC");
  const number = (sql: string, ...params: number[]): number | null =>
    (db.prepare(sql).get(...params) as { n: number | null } | undefined)?.n ?? null;
  const atomically = <T>(work: () => T): T => db.transaction(work).immediate();
  const refuse = (until: number, sentence: string, seconds: number): void => {
    db.prepare("UPDATE move_state SET refused_until = ?, refusal = ?").run(until, `moved:${seconds}:${sentence}`);
  };
  const state = (): State => stateOf(db) as State;
  const extentOf = (kind: MoveKind): number =>
    number(`SELECT to_key AS n FROM move_extents WHERE kind = '${kind}'`) ?? MOVE_FIRST[kind];

  return {
    begin(target) {
      const known = stateOf(db);
      if (known && known.target !== target) throw otherMove(known);
      if (known) return { move_id: known.move_id, moved: known.moved === 1, fresh: false };
      const move_id = randomUUID();
      atomically(() => {
        for (const sql of marksSql()) db.exec(sql);
        db.prepare("INSERT INTO move_state (only_row, move_id, target) VALUES (1, ?, ?)").run(move_id, target);
      });
      return { move_id, moved: false, fresh: true };
    },
    forget: () => unmark(db),
    extend: () =>
      atomically(() => {
        // A part of each kind, and be it empty: so each table is compared.
        const extents = MOVE_KINDS.map((kind) => [
          kind,
          Math.max(extentOf(kind), number(LAST[kind]) ?? MOVE_FIRST[kind] + 1),
        ]);
        for (const [kind, to] of extents) {
          db.prepare("UPDATE move_extents SET to_key = ? WHERE kind = ?").run(to, kind);
        }
        return Object.fromEntries(extents) as Record<MoveKind, number>;
      }),
    split(kind, from, to) {
      const parts: MovePart[] = [];
      const nth = NTH[kind];
      for (let at = from; at < to; ) {
        const last = nth === undefined ? null : number(nth, at, to, PART_KEYS[kind] - 1);
        const end = last ?? to;
        parts.push({ kind, from: at, to: end });
        at = end;
      }
      return parts;
    },
    months() {
      const months: number[] = [];
      for (let at = number(CAME_AFTER, 0); at !== null; at = number(CAME_AFTER, monthOf(at).to)) {
        months.push(monthOf(at).from);
      }
      return months;
    },
    marks: () =>
      atomically(() => {
        db.exec(`INSERT INTO move_marks (kind, key, taken) SELECT kind, key, 1 FROM move_marks WHERE taken = 0
          ON CONFLICT DO NOTHING; DELETE FROM move_marks WHERE taken = 0`);
        return db.prepare("SELECT kind, key FROM move_marks ORDER BY kind, key").all() as MoveMark[];
      }),
    settled() {
      db.exec("DELETE FROM move_marks WHERE taken = 1");
    },
    freeze(ms) {
      const sentence = `The calls are being moved to ${state().target}: writing goes on there, or here, in a moment`;
      atomically(() => {
        // There every call is in the sums at once; here some wait for that.
        if (state().refused_until <= now()) {
          settle(context, { limit: Number.MAX_SAFE_INTEGER, now: now() });
          context.sums.flush();
        }
        refuse(now() + ms, sentence, SECOND_TRY_S);
      });
    },
    unfreeze: () => refuse(0, "", 0),
    finish: (forEver) =>
      atomically(() => {
        const written = number("SELECT count(*) AS n FROM move_marks") !== 0;
        if (written || MOVE_KINDS.some((kind) => (number(LAST[kind]) ?? MOVE_FIRST[kind]) > extentOf(kind)))
          return false;
        const { target } = state();
        if (forEver) {
          const sentence = `The calls were moved to ${target}: set EARSHOT_STORE_URL to it. \`earshot move --undo\` opens this store again, as it was then`;
          refuse(FOR_EVER, sentence, MOVED_TRY_S);
          db.exec("UPDATE move_state SET moved = 1");
        } else for (const sql of unmarkSql()) db.exec(sql);
        return true;
      }),
    counters: () => ({
      last: {
        ...Object.fromEntries(
          (["call_records", "work", "live_calls", "events"] as const).map((table) => [
            table,
            number(`SELECT seq AS n FROM sqlite_sequence WHERE name = '${table}'`) ?? 0,
          ]),
        ),
        agents: number("SELECT max(agent_no) AS n FROM agents") ?? 0,
        vector_spaces: number("SELECT max(space_no) AS n FROM vector_spaces") ?? 0,
        jobs: number("SELECT max(rowid) AS n FROM jobs") ?? 0,
      },
    }),
    close: () => db.close(),
  };
}

function otherMove({ target, moved }: State): AppError {
  const what = moved === 1 ? "were moved" : "are being moved";
  return new AppError("conflict", `The calls ${what} to ${target}. \`earshot move --undo\` forgets that move`);
}
