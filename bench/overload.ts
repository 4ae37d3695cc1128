/**
 * More than the server can do: the mix of 80 % reads and 20 % writes at half, all, one and a half and twice of what it
 * answers in a closed loop, open loop from 500 connections, latency from when a request was due.
 *   node bench/overload.ts [--calls 200000] [--seconds 10] [--rounds 3] [--against FOLDER]
 * Offered in turn, so that no load is always last. Prints a line a pass and one a load with the medians.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { drive } from "./drive-server.ts";
import type { Pass } from "./drive-server.ts";
import { earshotDatabase } from "./fill-stores.ts";
import { machine } from "./machine.ts";
import { startEarshot } from "./servers.ts";

const LOADS = [0.5, 1, 1.5, 2];
/** As many as keep the server busy without waiting long. */
const CLOSED_CONNECTIONS = 32;

const { values: options } = parseArgs({
  options: {
    calls: { type: "string", default: "200000" },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    against: { type: "string" },
  },
});
const calls = Number(options.calls);
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);

const say = (line: object) => console.log(JSON.stringify(line));
const median = (values: readonly number[]): number | null =>
  values.length === 0 ? null : (values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] as number);

say({ ...machine(), calls, seconds, rounds });
const root = options.against === undefined ? {} : { root: resolve(options.against) };
const server = await startEarshot(await earshotDatabase({ calls }), true, root);
try {
  const of = { calls, seconds: seconds / 2 };
  const closed = ["--connections", String(CLOSED_CONNECTIONS)];
  // The first warms up, and of the others the best counts: less than the server can do would be no overload.
  const peaks: number[] = [];
  for (let i = 0; i < 4; i++) peaks.push((await drive(server, "peak", of, closed)).rps ?? 0);
  const capacity = Math.max(...peaks.slice(1));
  say({ capacity });
  const passes = new Map<number, Pass[]>(LOADS.map((load) => [load, []]));
  for (let round = 0; round < rounds; round++) {
    for (const load of LOADS) {
      const at = ["--connections", "500", "--rate", String(Math.round(capacity * load))];
      // The driver paces for twice its seconds.
      const pass = await drive(server, "paced", of, at);
      passes.get(load)?.push(pass);
      say({ round, load, ...pass });
    }
  }
  for (const [load, all] of passes) {
    const of = (key: string) => median(all.map((p) => p[key]).filter((v) => typeof v === "number"));
    const summary = { offered: of("rate"), goodput: of("rps"), p50_ms: of("p50_ms"), p99_ms: of("p99_ms") };
    say({
      overload: load,
      capacity,
      ...summary,
      refused: of("refused"),
      refused_p99_ms: of("refused_p99_ms"),
      errors: of("errors"),
    });
  }
} finally {
  await server.stop();
}
