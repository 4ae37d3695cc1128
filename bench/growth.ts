/**
 * Does it stay as fast as calls grow: get, list, agents and recs over 10,000, 100,000 and 1,000,000 calls. Calls of six short
 * turns, with call vectors and without turn and segment vectors, so that a million can be made in minutes. Earshot alone.
 *   node bench/growth.ts [--sizes 10000,100000,1000000] [--seconds 4] [--rounds 3]
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { earshotDatabase } from "./fill-stores.ts";
import { machine } from "./machine.ts";
import { AGENTS } from "./seeded-calls.ts";
import { startEarshot } from "./servers.ts";
import type { Server } from "./servers.ts";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "10000,100000,1000000" },
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
  },
});
const ROWS = ["get", "list", "agents", "recs"] as const;
const sizes = values.sizes.split(",").map(Number);

interface Pass {
  readonly rps: number;
  readonly server_cpu_ms_per_request: number;
  readonly server_rss_mb: number;
  readonly errors: number;
}

function drive(server: Server, row: string, calls: number): Pass {
  const args = [
    "--base",
    server.url,
    "--map",
    join(import.meta.dirname, "drive/maps/earshot.mjs"),
    "--calls",
    `${calls}`,
  ];
  args.push("--agents", String(AGENTS), "--seconds", values.seconds, "--scenarios", row);
  args.push("--pid", String(server.pid), "--key", server.key as string);
  const driven = spawnSync(process.execPath, [join(import.meta.dirname, "drive/drive.mjs"), ...args], {
    encoding: "utf8",
  });
  if (driven.status !== 0) throw new Error(driven.stderr);
  return JSON.parse(driven.stdout) as Pass;
}

console.log(JSON.stringify(machine()));
const servers: { size: number; server: Server }[] = [];
try {
  for (const size of sizes) {
    servers.push({ size, server: await startEarshot(await earshotDatabase({ calls: size, slim: true }), false) });
  }
  for (const row of ROWS) {
    const passes = new Map<number, Pass[]>(sizes.map((size) => [size, []]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { size, server } of round % 2 === 0 ? servers : servers.toReversed()) {
        passes.get(size)?.push(drive(server, row, size));
      }
    }
    for (const [size, all] of passes) {
      const middle = (key: keyof Pass) => all.map((p) => p[key]).toSorted((a, b) => a - b)[(all.length - 1) >> 1];
      console.log(
        JSON.stringify({
          growth: row,
          size,
          calls: sizes.at(-1),
          rps: middle("rps"),
          server_cpu_ms_per_request: middle("server_cpu_ms_per_request"),
          server_rss_mb: middle("server_rss_mb"),
          errors: all.reduce((n, p) => n + p.errors, 0),
          rounds: all.map((p) => p.rps),
        }),
      );
    }
  }
} finally {
  for (const { server } of servers) await server.stop();
}
