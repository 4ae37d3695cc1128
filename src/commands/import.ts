import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { withStore } from "../app/store.ts";
import { AppError } from "../errors.ts";
import type { ImportCounts, ImportFormat } from "../services/import.ts";
import { type FileImport, formatOf, importFile } from "../services/import-file.ts";
import { parseDefaults, parseMap, parseSpeakers } from "../services/import-map.ts";
import { bar, type Context, progressLine } from "./context.ts";
import { sendImport } from "./send-import.ts";

interface ImportOptions {
  format?: ImportFormat;
  map?: string;
  default?: string;
  speakerMap?: string;
  url?: string;
  key?: string;
}

/** `import FILE|-`. Exit code 1 where a line was refused or a call conflicts. */
export function importCommands(program: Command, context: Context): void {
  program
    .command("import")
    .description("store calls from an NDJSON or CSV file; the same command again goes on, or changes nothing")
    .argument("<file>", "a path, or - for standard input")
    .option("--format <format>", "ndjson or csv (default: by the file's name)", parseFormat)
    .option(
      "--map <pairs>",
      "columns: call_id=B2,turn=Turn,text=Unit,speaker=B4,agent=0,customer=1",
      checkedBy(parseMap),
    )
    .option(
      "--default <pairs>",
      "what the file lacks: agent_id=ann,start_time=2026-03-01T09:00:00Z",
      checkedBy(parseDefaults),
    )
    .option("--speaker-map <pairs>", "labels: Rep=agent,Client=customer", checkedBy(parseSpeakers))
    .option("--url <url>", "send to the server there instead of this machine's data")
    .option("--key <key>", "an admin API key of that server (EARSHOT_ADMIN_KEY)")
    .action(async (file: string, options: ImportOptions) => {
      const started = performance.now();
      const line = progressLine();
      const stop = new AbortController();
      const onSignal = (): void => stop.abort();
      process.once("SIGINT", onSignal);
      process.once("SIGTERM", onSignal);
      const format = options.format ?? formatOf(file);
      try {
        const job =
          options.url === undefined
            ? await here(context, file, options, format, line, stop.signal)
            : await there(context, file, options, format, line, stop.signal);
        line.end(summary(job, (performance.now() - started) / 1000));
        for (const error of job.errors) console.error(`line ${error.line}: ${error.message}`);
        const { rejected = 0, conflicts = 0 } = job.counts;
        if (rejected + conflicts > job.errors.length)
          console.error(`… and ${rejected + conflicts - job.errors.length} more`);
        if (rejected + conflicts > 0) process.exitCode = 1;
      } catch (error) {
        if (!stop.signal.aborted) throw error;
        line.end("Stopped. What was read is stored; the same command goes on from there.");
        process.exitCode = 130;
      } finally {
        process.off("SIGINT", onSignal);
        process.off("SIGTERM", onSignal);
      }
    });
}

type Job = FileImport["job"];
type Line = ReturnType<typeof progressLine>;

async function here(
  context: Context,
  file: string,
  options: ImportOptions,
  format: ImportFormat,
  line: Line,
  signal: AbortSignal,
): Promise<Job> {
  const map = parseMap(options.map ?? "");
  const mapping = { ...map, speakers: { ...map.speakers, ...parseSpeakers(options.speakerMap ?? "") } };
  const defaults = parseDefaults(options.default ?? "");
  return withStore(context.config(), async ({ calls, jobs }) => {
    const { job, resumed_at } = await importFile(
      { calls, jobs, now: Date.now },
      {
        file,
        format,
        stdin: process.stdin,
        map: mapping,
        defaults,
        signal,
        onProgress: ({ bytes, counts }, total) =>
          line.show(`${total === null ? megabytes(bytes) : bar(total === 0 ? 1 : bytes / total)} ${tally(counts)}`),
      },
    );
    if (resumed_at !== null)
      line.end(`Went on where an earlier import of this file ended (${megabytes(resumed_at)} of it, counted below).`);
    return job;
  });
}

async function there(
  context: Context,
  file: string,
  options: ImportOptions,
  format: ImportFormat,
  line: Line,
  signal: AbortSignal,
): Promise<Job> {
  const key = options.key ?? context.config().adminKey;
  if (key === null) throw new AppError("unauthorized", "--url needs --key with an admin API key of that server");
  return sendImport({
    file,
    stdin: process.stdin,
    format,
    url: options.url ?? "",
    key,
    query: { map: options.map ?? "", default: options.default ?? "", speaker_map: options.speakerMap ?? "" },
    signal,
    onProgress: (sent, total) =>
      line.show(`sent ${total === null ? megabytes(sent) : bar(total === 0 ? 1 : sent / total)}`),
  });
}

/** An option that must be readable; it stays as it was written, for a server may be the one to read it. */
function checkedBy(parse: (text: string) => unknown): (text: string) => string {
  return (text) => {
    try {
      parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
    return text;
  };
}

function parseFormat(value: string): ImportFormat {
  if (value === "ndjson" || value === "csv") return value;
  throw new InvalidArgumentError("there are ndjson and csv");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function tally({ accepted = 0, replayed = 0, conflicts = 0, rejected = 0 }: Partial<ImportCounts>): string {
  return `${accepted} accepted, ${replayed} already there, ${conflicts} conflicts, ${rejected} rejected`;
}

function summary({ counts }: Job, seconds: number): string {
  const { accepted = 0, replayed = 0, conflicts = 0, rejected = 0, lines = 0 } = counts;
  const rate = Math.round((accepted + replayed + conflicts + rejected) / Math.max(seconds, 0.001));
  const nothing = accepted === 0 && replayed > 0 ? " Nothing changed." : "";
  return `${tally(counts)} (${lines} lines in ${seconds.toFixed(1)} s, ${rate} calls/s).${nothing}`;
}
