/** Looks at what a store holds, past the store: one view of a file or a server for all questions. */
import pg from "pg";
import { openForReading } from "../../src/adapters/sql/connection.ts";

export interface Eye {
  /** Which calls the sums count. */
  readonly inSums: string;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  all<Row>(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

/** @param place the path of a file, or postgres://… */
export async function openEye(place: string): Promise<Eye> {
  if (!place.startsWith("postgres:")) {
    const db = openForReading(place);
    db.exec("BEGIN");
    return {
      inSums: "settled = 1",
      all: async <Row>(sql: string) => db.prepare(sql).all() as Row[],
      close: async () => void db.close(),
    };
  }
  const types = { getTypeParser: (oid: number) => (oid === 20 ? Number : pg.types.getTypeParser(oid)) };
  const client = new pg.Client({ connectionString: place, types });
  await client.connect();
  // Numbers what a killed process had committed and nobody has read since.
  await client.query("SELECT sequence_events()");
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  return {
    inSums: "true",
    all: async <Row>(sql: string) => (await client.query(sql)).rows as Row[],
    close: () => client.end(),
  };
}
