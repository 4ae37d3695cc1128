/**
 * The same seeded requests (40 % calls by id, 20 % lists, 20 % single POSTs, 10 % figures per agent, 10 % recommendations)
 * to one process on SQLite, three on one SQLite file behind nginx, and three on PostgreSQL with Redis behind nginx; in turn,
 * over the same calls, all on this machine with the load generator (wrk, 32 connections, closed loop). No enrichment runs.
 *   node bench/scale.ts [--calls 20000] [--seconds 10] [--rounds 3]
 * Prints a line a pass and one with the medians and the CPU a request of each part.
 */
import { parseArgs } from "node:util";
import { drive } from "./drive-server.ts";
import type { Pass } from "./drive-server.ts";
import { machine } from "./machine.ts";
import { onPostgres, onSqlite } from "./scale-setups.ts";
import type { Setup } from "./scale-setups.ts";
import { summary } from "./summary.ts";

const PROCESSES = 3;

const { values: options } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
  },
});
const calls = Number(options.calls);
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const say = (line: object) => console.log(JSON.stringify(line));

say({ ...machine(), calls, seconds, rounds });
const setups: Setup[] = [];
try {
  setups.push(await onSqlite({ calls, processes: 1 }));
  setups.push(await onSqlite({ calls, processes: PROCESSES }));
  setups.push(await onPostgres({ calls, processes: PROCESSES }));
  const passes = new Map<Setup, Pass[]>(setups.map((setup) => [setup, []]));
  for (let round = 0; round < rounds; round++) {
    // Turn about, so that nobody always goes first.
    for (const setup of round % 2 === 0 ? setups : setups.toReversed()) {
      const parts = Object.entries(setup.parts).flatMap(([name, pids]) => ["--part", `${name}=${pids.join(",")}`]);
      const pass = await drive(setup.driven, "scale", { calls, seconds }, parts);
      passes.get(setup)?.push(pass);
      say({ round, side: setup.label, ...pass });
    }
  }
  const sides = setups.map((setup) => summary({ label: setup.label, passes: passes.get(setup) ?? [] }));
  say({ row: "scale", calls, rounds, sides });
} finally {
  for (const setup of setups.toReversed()) await setup.close();
}
