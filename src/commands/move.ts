import { existsSync } from "node:fs";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { moveStoreTo, undoMoveOf } from "../app/store.ts";
import { type Config, isPostgres } from "../config.ts";
import { AppError } from "../errors.ts";
import type { MoveDifference, MoveReport } from "../services/move.ts";
import { bar, type Context, progressLine } from "./context.ts";

interface MoveOptions {
  to?: string;
  keep?: boolean;
  undo?: boolean;
}

const SHOWN = 20;

/** `move`. Exit code 1 where the two sides differ. */
export function moveCommands(program: Command, context: Context): void {
  program
    .command("move")
    .description("copy everything from SQLite to an empty PostgreSQL while the server goes on; again, it goes on")
    .option("--to <url>", "postgres://USER:PASSWORD@HOST:PORT/DATABASE, an empty database", parseTarget)
    .option("--keep", "leave the SQLite store open for writing: then there are two")
    .option("--undo", "open the SQLite store for writing again after a move, or end one that was begun")
    .action(async (options: MoveOptions) => {
      const config = context.config();
      refuseOthers(config, options);
      if (options.undo === true) {
        if (!(await undoMoveOf(config))) throw new AppError("not_found", `${config.storePath} was not moved`);
        console.error(
          `${config.storePath} takes writes again. What was written elsewhere since the move is not in it.`,
        );
        return;
      }
      await move(config, options.to ?? "", options.keep === true);
    });
}

function parseTarget(text: string): string {
  if (isPostgres(text)) return text;
  throw new InvalidArgumentError("it must be postgres://USER:PASSWORD@HOST:PORT/DATABASE");
}

function refuseOthers({ postgres, storePath }: Config, { to, keep, undo }: MoveOptions): void {
  if ((to === undefined) === (undo !== true)) throw wrong("Say either --to or --undo");
  if (keep === true && to === undefined) throw wrong("--keep belongs to --to");
  if (postgres !== null) throw wrong("EARSHOT_STORE_URL must name the SQLite store that is to be moved");
  if (!existsSync(storePath)) throw new AppError("not_found", `There is no database at ${storePath}`);
}

function wrong(message: string): AppError {
  return new AppError("validation", message);
}

async function move(config: Config, to: string, keep: boolean): Promise<void> {
  const started = performance.now();
  const line = progressLine();
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    const report = await moveStoreTo(config, to, {
      keep,
      signal: stop.signal,
      onProgress: (stage, done, total) => line.show(`${stage} ${bar(done / Math.max(1, total))}`),
    });
    line.end(summary(report, (performance.now() - started) / 1000));
    if (report.differences.length > 0) fail(report.differences);
    else tellWhatNext(config, keep);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    line.end("Stopped. The same command goes on from there; --undo forgets the move.");
    process.exitCode = 130;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

function summary({ tables, spent, bytes }: MoveReport, seconds: number): string {
  const calls = tables["call_records"]?.rows ?? 0;
  const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
  const times = Object.entries(spent).map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(1)} s`);
  const compared = Object.entries(tables).map(
    ([table, { rows, sum }]) => `  ${table.padEnd(18)} ${String(rows).padStart(10)} rows  ${checksum(sum)}`,
  );
  const head = `${calls} calls, ${rows} rows, ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s (${times.join(", ")})`;
  return [head, "Compared, by rows and by the sum of the SHA-256 of each row's values:", ...compared].join("\n");
}

function checksum(sum: bigint): string {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
}

function fail(differences: readonly MoveDifference[]): void {
  console.error("The two sides differ; this store is as it was and takes writes:");
  for (const { table, range, source, target } of differences.slice(0, SHOWN)) {
    const where = range === null ? "as a whole" : `after ${range.from} up to ${range.to}`;
    console.error(
      `  ${table} ${where}: ${source.rows} rows ${checksum(source.sum)} here, ${target.rows} rows ${checksum(target.sum)} there`,
    );
  }
  if (differences.length > SHOWN) console.error(`  … and ${differences.length - SHOWN} more`);
  console.error("The same command copies these parts again.");
  process.exitCode = 1;
}

function tellWhatNext({ storePath, dataDir, jwtSecrets }: Config, keep: boolean): void {
  if (keep) console.error(`The same. ${storePath} goes on as it was.`);
  else console.error(`The same. ${storePath} takes no writes any more; \`earshot move --undo\` would open it again.`);
  const secret = jwtSecrets.length > 0 ? "as it is" : `the line of ${dataDir}/jwt.secret`;
  console.error(`Start processes with EARSHOT_STORE_URL set to the new address, and EARSHOT_JWT_SECRET ${secret}.`);
}
