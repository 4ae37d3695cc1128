import type { Command } from "commander";
import { withLake, writeLakeHere } from "../app/lake.ts";
import { type Context, progressLine } from "./context.ts";

/** `lake write|query|compact|check`. */
export function lakeCommands(program: Command, context: Context): void {
  const lake = program.command("lake").description("enriched calls as Parquet files by day (EARSHOT_LAKE_URL)");
  lake
    .command("write")
    .description("write what is new, as a server does by itself")
    .action(async () => {
      const line = progressLine();
      let rows = 0;
      const done = await writeLakeHere(context.config(), (step) => {
        rows += step.rows;
        line.show(`${rows} calls written`);
      });
      line.end(`${done.rows} ${done.rows === 1 ? "call" : "calls"} written; the lake is at event ${done.seq}.`);
    });
  lake
    .command("query")
    .description("run SQL (DuckDB) over the view `calls`; columns are separated by tabs")
    .argument("<sql>")
    .option("--json", "a JSON object a line")
    .action(async (sql: string, { json }: { json?: boolean }) => {
      const { columns, rows } = await withLake(context.config(), (opened) => opened.query(sql));
      if (json === true) {
        for (const row of rows)
          console.log(JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, row[i]]))));
        return;
      }
      console.log(columns.join("\t"));
      for (const row of rows) console.log(row.map(cell).join("\t"));
    });
  lake
    .command("compact")
    .description("make every day one file")
    .action(async () => {
      const days = await withLake(context.config(), (opened) => opened.compact(2));
      console.error(`${days} ${days === 1 ? "day was" : "days were"} written anew.`);
    });
  lake
    .command("check")
    .description("compare every file with what the manifest says of it")
    .action(async () => {
      const { problems, state } = await withLake(context.config(), async (opened) => ({
        problems: await opened.check(),
        state: await opened.state(),
      }));
      for (const problem of problems) console.log(problem);
      const { version, seq, files, rows, bytes } = state;
      console.error(
        `manifest ${version}, event ${seq}: ${rows} calls in ${files} files, ${(bytes / 1e6).toFixed(1)} MB; ` +
          `${problems.length === 0 ? "nothing is" : `${problems.length} ${problems.length === 1 ? "thing is" : "things are"}`} wrong.`,
      );
      if (problems.length > 0) process.exitCode = 1;
    });
}

/** One line, whatever is in it; nothing for NULL. */
function cell(value: unknown): string {
  if (value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll(/[\t\n\r]/g, " ");
}
