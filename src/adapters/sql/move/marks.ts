/**
 * The marks of a move in the SQLite file. Triggers remember what is written to after it was copied, and refuse all writes for as
 * long as refused_until says: so every process is held to it, whatever its version, and a freeze ends by itself where the
 * mover is killed. They are there only while a move is under way, or was made.
 */
import { MOVE_FIRST, MOVE_KINDS, type MoveKind } from "../../../ports/move.ts";
import { KEY_COLUMN, MOVED, type MovedTable } from "./tables.ts";

/**
 * refused_until: epoch ms; at the end of time once the store is moved. refusal: "moved:SECONDS:SENTENCE" (store-error.ts).
 * move_extents: up to which key a kind is in the move. move_marks: keys that were written to after; taken: by the copying
 * that is under way.
 */
const TABLES = `
CREATE TABLE move_state (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  move_id TEXT NOT NULL,
  target TEXT NOT NULL,
  moved INTEGER NOT NULL DEFAULT 0,
  refused_until INTEGER NOT NULL DEFAULT 0,
  refusal TEXT NOT NULL DEFAULT ''
);
CREATE TABLE move_extents (kind TEXT PRIMARY KEY, to_key INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE move_marks (
  kind TEXT NOT NULL,
  key INTEGER NOT NULL,
  taken INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, key, taken)
) WITHOUT ROWID;`;

const OPERATIONS = ["INSERT", "UPDATE", "DELETE"] as const;

/** The statements that put the marks there. */
export function marksSql(): string[] {
  const extents = MOVE_KINDS.map((kind) => `INSERT INTO move_extents VALUES ('${kind}', ${MOVE_FIRST[kind]})`);
  return [TABLES, ...extents, ...triggers().map(({ sql }) => sql)];
}

/** The statements that take them away. */
export function unmarkSql(): string[] {
  return [
    ...triggers().map(({ name }) => `DROP TRIGGER IF EXISTS ${name}`),
    ...["move_state", "move_extents", "move_marks"].map((table) => `DROP TABLE IF EXISTS ${table}`),
  ];
}

function triggers(): { name: string; sql: string }[] {
  return MOVE_KINDS.flatMap((kind) =>
    MOVED[kind].filter((table) => !table.derived).flatMap((table) => triggersOf(kind, table)),
  );
}

function triggersOf(kind: MoveKind, table: MovedTable): { name: string; sql: string }[] {
  return OPERATIONS.flatMap((operation) => {
    const on = `${operation} ON ${table.name}`;
    const refuse = `move_refuse_${table.name}_${operation.toLowerCase()}`;
    const mark = `move_mark_${table.name}_${operation.toLowerCase()}`;
    // A call that settles stays as it is.
    const changed =
      operation === "UPDATE" && table.name === "call_records" ? `UPDATE OF ${columnsOf(table)} ON call_records` : on;
    const sides = operation === "INSERT" ? ["NEW"] : operation === "DELETE" ? ["OLD"] : ["OLD", "NEW"];
    return [
      {
        name: refuse,
        sql: `CREATE TRIGGER ${refuse} BEFORE ${on}
          WHEN EXISTS (SELECT 1 FROM move_state WHERE refused_until > unixepoch('subsec') * 1000)
          BEGIN SELECT RAISE(ABORT, (SELECT refusal FROM move_state)); END`,
      },
      {
        name: mark,
        sql: `CREATE TRIGGER ${mark} AFTER ${changed} BEGIN ${sides.map((side) => markOf(kind, side)).join(" ")} END`,
      },
    ];
  });
}

function columnsOf({ columns }: MovedTable): string {
  return columns.map(([name]) => name).join(", ");
}

/** Not OR IGNORE, which the statement that fires the trigger would overrule. */
function markOf(kind: MoveKind, side: string): string {
  const column = KEY_COLUMN[kind];
  const key = column === null ? "0" : `${side}.${column}`;
  return `INSERT INTO move_marks (kind, key) SELECT '${kind}', ${key}
    WHERE ${key} <= (SELECT to_key FROM move_extents WHERE kind = '${kind}') ON CONFLICT DO NOTHING;`;
}
