/**
 * Where a row's time goes: node bench/profile.ts NAME [--calls 200000 --seconds 5]. Runs Earshot under node --cpu-prof with
 * the row's requests, writes .cache/bench/NAME.svg (a flame graph, widths by samples, main thread) and prints the 15 frames
 * with the most time of their own, as JSON lines.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { earshotDatabase } from "./fill-stores.ts";
import { flameGraph } from "./flame-graph.ts";
import type { CpuProfile } from "./flame-graph.ts";
import { AGENTS } from "./seeded-calls.ts";
import { startEarshot } from "./servers.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { calls: { type: "string", default: "200000" }, seconds: { type: "string", default: "5" } },
});
const scenario = positionals[0] ?? "get";
const cache = resolve(import.meta.dirname, "../.cache/bench");
const database = await earshotDatabase({ calls: Number(values.calls) });
const folder = mkdtempSync(join(cache, "profile-"));
const writes = ["post", "bulk", "mix"].includes(scenario);
const server = await startEarshot(database, writes, { nodeFlags: ["--cpu-prof", `--cpu-prof-dir=${folder}`] });
const map = join(import.meta.dirname, "drive/maps/earshot.mjs");
const args = ["--base", server.url, "--map", map, "--calls", values.calls, "--agents", String(AGENTS)];
args.push(
  "--seconds",
  values.seconds,
  "--scenarios",
  scenario,
  "--pid",
  String(server.pid),
  "--key",
  server.key as string,
);
const driven = spawnSync(process.execPath, [join(import.meta.dirname, "drive/drive.mjs"), ...args], {
  encoding: "utf8",
});
console.log(driven.stdout.trim() || driven.stderr);
await server.stop();

// One profile a thread; the loop's is the one that holds http frames.
const profiles = readdirSync(folder)
  .map((file) => join(folder, file))
  .map((file) => JSON.parse(readFileSync(file, "utf8")) as CpuProfile);
const main = profiles.find((p) => p.nodes.some((n) => n.callFrame.functionName === "parserOnIncoming"));
if (!main) throw new Error("no profile of the event loop was written");
// Of the writer thread nothing is known but when it ran: all of its profile is shown.
const writer = writes
  ? profiles.find((p) => p.nodes.some((n) => n.callFrame.url.endsWith("/writer-thread.ts")))
  : undefined;
show("loop", main);
if (writer) show("writer", writer);
const index = profiles.find((p) => p.nodes.some((n) => n.callFrame.url.endsWith("/flat-index.ts")));
if (index && index !== main) show("index", index);
function show(thread: string, profile: CpuProfile): void {
  const { svg, top } = flameGraph(profile, `earshot: ${scenario}, ${thread}`);
  const file = join(cache, `${scenario}-${thread}.svg`);
  writeFileSync(file, svg);
  for (const frame of top.slice(0, 15)) console.log(JSON.stringify({ thread, ...frame }));
  console.error(`flame graph: ${file}`);
}
rmSync(folder, { recursive: true });
