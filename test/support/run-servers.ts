/** Before all tests: a folder for the servers of this run, which tests start as they need them. After all: they are stopped. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopPostgres } from "./postgres-server.ts";

export default function setup(): () => void {
  const run = mkdtempSync(join(tmpdir(), "earshot-run-"));
  // A server that must not run as root runs as somebody else.
  chmodSync(run, 0o755);
  process.env["EARSHOT_TEST_RUN"] = run;
  return () => {
    for (const engine of ["postgres", "pgvector"]) stopPostgres(join(run, engine));
    rmSync(run, { recursive: true, force: true });
  };
}
