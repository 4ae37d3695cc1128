/**
 * What sharing a commit gains: node bench/group-commit.ts [--calls 20000] [--rounds 5] [--rows 8000]
 * Two stores over copies of one database, each in a process of its own (group-side.ts): one groups what arrives together,
 * the other gives each call a transaction of its own. 64 callers accept calls that have just ended, one at a time, pass about. Meanwhile, and
 * before with nothing written, a call is read every 2 ms; its time counts from when it was due. Syncs are counted by
 * strace in passes of their own, for watching a process slows it.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { earshotDatabase } from "./fill-stores.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    rounds: { type: "string", default: "5" },
    rows: { type: "string", default: "8000" },
  },
});
const calls = Number(values.calls);
const rounds = Number(values.rounds);
const rows = Number(values.rows);

interface Pass {
  readonly rows_per_s: number;
  readonly rows: number;
  readonly commits: number;
  readonly read_p50_ms: number;
  readonly read_p99_ms: number;
  readonly failed: number;
}

type Name = "grouped" | "one by one";
interface Side {
  readonly label: Name;
  readonly child: ChildProcess;
  readonly passes: Pass[];
}

const say = (line: object) => console.log(JSON.stringify(line));
const database = await earshotDatabase({ calls });
const folder = await mkdtemp(join(tmpdir(), "earshot-bench-group-"));

async function start(label: Name, counts: string | null = null): Promise<Side> {
  const side = [join(import.meta.dirname, "group-side.ts"), database, String(calls), label];
  // The filter lets all other calls pass at full speed.
  const watch = ["--seccomp-bpf", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", counts ?? "", process.execPath];
  const [command, args] = counts === null ? [process.execPath, side] : ["strace", [...watch, ...side]];
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  await once(child, "message");
  return { label, child, passes: [] };
}

async function pass({ child }: Side, of: number): Promise<Pass> {
  child.send(of);
  const [answer] = (await once(child, "message")) as [Pass];
  return answer;
}

async function stop({ child }: Side): Promise<void> {
  const closed = once(child, "exit");
  child.send("stop");
  await closed;
}

/** Syncs a row, those of a checkpoint included; null where there is no strace. */
async function syncs(label: Name): Promise<number | null> {
  if (spawnSync("strace", ["-V"]).status !== 0) return null;
  const counted = async (name: string, of: number): Promise<number> => {
    const file = join(folder, name);
    const side = await start(label, file);
    if (of > 0) await pass(side, of);
    await stop(side);
    const lines = readFileSync(file, "utf8").split("\n");
    const columns = lines.map((line) => line.trim().split(/\s+/));
    // % time, seconds, usecs/call, calls, perhaps errors, syscall
    return columns.reduce((sum, c) => sum + (/^(fsync|fdatasync)$/.test(c.at(-1) ?? "") ? Number(c[3]) : 0), 0);
  };
  // Opening and closing sync too.
  const without = await counted("without", 0);
  return ((await counted("with", rows)) - without) / rows;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] as number;
const spread = (values: readonly number[]) => ({
  min: Math.min(...values),
  median: median(values),
  max: Math.max(...values),
});

say({ ...machine(), calls, rounds, rows, callers: 64 });
const sides = [await start("grouped"), await start("one by one")];
try {
  const ratios: number[] = [];
  const idle: Pass[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const quiet = await pass(side, 0);
      const busy = await pass(side, rows);
      idle.push(quiet);
      side.passes.push(busy);
      say({ round, side: side.label, ...busy, idle_read_p99_ms: quiet.read_p99_ms });
    }
    const [grouped, single] = sides.map((s) => s.passes.at(-1)?.rows_per_s ?? 0) as [number, number];
    ratios.push(grouped / single);
  }
  const counted = { grouped: await syncs("grouped"), "one by one": await syncs("one by one") };
  say({
    measure: "group_commit",
    calls,
    callers: 64,
    rows,
    ratio: spread(ratios),
    idle_read_p99_ms: spread(idle.map((p) => p.read_p99_ms)),
    sides: sides.map(({ label, passes }) => ({
      label,
      rows_per_s: spread(passes.map((p) => p.rows_per_s)),
      rows_per_commit: spread(passes.map((p) => p.rows / p.commits)),
      read_p99_ms: spread(passes.map((p) => p.read_p99_ms)),
      fsyncs_per_row: counted[label],
      failed: passes.reduce((sum, p) => sum + p.failed, 0),
    })),
  });
} finally {
  for (const side of sides) await stop(side);
  await rm(folder, { recursive: true });
}
