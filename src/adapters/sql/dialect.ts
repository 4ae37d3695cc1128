/** Where the SQL of list shapes differs from engine to engine. */
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import type { Row } from "./read-sql.ts";

/** Builds SQL and runs none. */
export interface Dialect {
  readonly builder: Kysely<Row>;
  /** How the table is called in FROM, where the index of this name is to be walked (null: none). */
  readonly table: (index: string | null) => RawBuilder<unknown>;
}

/** Indexes are named, never guessed: what runs on the event loop must not depend on statistics. */
export const SQLITE: Dialect = {
  builder: new Kysely<Row>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  }),
  table: (index) => (index === null ? sql`c not indexed` : sql`c indexed by ${sql.ref(index)}`),
};

/** The planner chooses; whoever asks sets a limit of time. */
export const POSTGRES: Dialect = {
  builder: new Kysely<Row>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }),
  table: () => sql`c`,
};
