/**
 * One row of the page: Earshot, and the peer where it runs, in turn over the same calls with the same seeded requests.
 *   node bench/compare.ts NAME [--calls 200000] [--seconds 5] [--rounds 3] [--alone] [--against FOLDER]
 * NAME: get, list, agents, recs, recs-filtered, post, bulk, mix, feed, paced. --against measures another checkout of Earshot in the
 * peer's place (before and after a change, interleaved). Prints a line a pass and one with the medians and ratios.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { earshotDatabase, peerDatabase } from "./fill-stores.ts";
import { drive as driveServer } from "./drive-server.ts";
import type { Pass } from "./drive-server.ts";
import { machine } from "./machine.ts";
import { peerStack } from "./peer-python.ts";
import { recall } from "./recall.ts";
import type { Server } from "./servers.ts";
import { startBare, startEarshot, startPeer } from "./servers.ts";
import { summary } from "./summary.ts";

const NAMES = ["get", "list", "agents", "recs", "recs-filtered", "post", "bulk", "mix", "feed", "paced"] as const;
type Name = (typeof NAMES)[number];
/** The peer knows no filters here. */
const UNKNOWN_TO_PEER: ReadonlySet<Name> = new Set(["recs-filtered"]);
const WRITES: ReadonlySet<Name> = new Set(["post", "bulk", "mix", "feed", "paced"]);

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: "string", default: "200000" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    alone: { type: "boolean", default: false },
    against: { type: "string" },
  },
});
const name = positionals[0] as Name;
if (!NAMES.includes(name)) throw new Error(`there are ${NAMES.join(", ")}`);
const calls = Number(options.calls);
const rounds = Number(options.rounds);

interface Side {
  readonly label: string;
  readonly server: Server;
  readonly passes: Pass[];
}

const drive = (server: Server, scenario: string, more: readonly string[] = []): Promise<Pass> =>
  driveServer(server, scenario, { calls, seconds: Number(options.seconds) }, more);

async function startSides(): Promise<Side[]> {
  const database = await earshotDatabase({ calls });
  const writes = WRITES.has(name);
  const sides: Side[] = [];
  const add = (label: string, server: Server) => sides.push({ label, server, passes: [] });
  // Enrichment runs beside paced requests; everywhere else the API is measured alone, as the peer has no model.
  const work = name === "paced";
  add("earshot", await startEarshot(database, writes, { work }));
  if (options.against) {
    add("before", await startEarshot(database, writes, { work, root: resolve(options.against) }));
  } else if (!options.alone && !UNKNOWN_TO_PEER.has(name) && peerStack() !== null) {
    add("fastapi", await startPeer(await peerDatabase({ calls }), writes, name === "recs"));
  }
  if (name === "get") add("bare", await startBare(database));
  return sides;
}

const say = (line: object) => console.log(JSON.stringify(line));

async function run(sides: readonly Side[]): Promise<void> {
  if (name === "paced") {
    await paced(sides);
    return;
  }
  for (let round = 0; round < rounds; round++) {
    // Turn about, so that nobody always goes first.
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const pass = await drive(side.server, name);
      side.passes.push(pass);
      say({ round, side: side.label, ...pass });
    }
  }
}

/** Half of what `mix` reaches, from 500 connections; then the same with a server that is stopped for a second. */
async function paced(sides: readonly Side[]): Promise<void> {
  for (const side of sides) {
    const capacity = (await drive(side.server, "mix")).rps ?? 0;
    const rate = Math.max(10, Math.floor(capacity / 2));
    say({ side: side.label, capacity });
    const at = ["--rate", String(rate), "--connections", "500"];
    for (let round = 0; round < rounds; round++) {
      const pass = await drive(side.server, "paced", at);
      side.passes.push(pass);
      say({ round, side: side.label, ...pass });
    }
    if (side.label !== "earshot") continue;
    const stalled = await drive(side.server, "paced", [...at, "--stall", "1000"]);
    // A second of some ten: the slowest tenth waited, and the slowest of them a second. Part of what waited is refused then.
    const slowest = Math.max(Number(stalled["p99_ms"]), Number(stalled["refused_p99_ms"] ?? 0));
    const shown = slowest >= 500 && Number(stalled["max_ms"]) >= 900;
    say({ side: side.label, self_test: shown ? "the stall shows" : "THE STALL IS HIDDEN", ...stalled });
    if (!shown) process.exitCode = 1;
    // It would go on with its enrichment while the next one is measured.
    await side.server.stop();
  }
}

say({
  ...machine(),
  peer: options.alone || options.against ? null : peerStack(),
  calls,
  seconds: Number(options.seconds),
  rounds,
});
const sides = await startSides();
try {
  if (name === "recs" || name === "recs-filtered") {
    say({ measure: "recall", ...(await recall(await earshotDatabase({ calls }), name === "recs-filtered")) });
  }
  await run(sides);
  say({ row: name, calls, rounds, sides: sides.map(summary) });
} finally {
  for (const side of sides) await side.server.stop();
}
