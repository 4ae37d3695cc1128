/**
 * Preloaded into a server (NODE_OPTIONS=--import) to weaken it: the writer commits without waiting for the disk. Shows
 * that the test of durable answers can fail. There is no such setting.
 */
import Database from "better-sqlite3";

type Pragma = (this: Database.Database, source: string, options?: Database.PragmaOptions) => unknown;
const pragma: Pragma = Reflect.get(Database.prototype, "pragma");
Database.prototype.pragma = function weakened(source, options) {
  return pragma.call(this, source === "synchronous = FULL" ? "synchronous = NORMAL" : source, options);
};
