/**
 * How fast a replica comes to hold what its primary does: the first load of calls of 42 turns with their vectors, and what
 * was written while it was away. Both are real processes on this machine.
 *   node bench/replica.ts [--calls 20000] [--written 2000]
 */
import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { caughtUp, callsIn, sendDemo, startPair } from "../test/support/replica.ts";
import { earshotDatabase } from "./fill-stores.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: { calls: { type: "string", default: "20000" }, written: { type: "string", default: "2000" } },
});
const calls = Number(values.calls);
const written = Number(values.written);
const PATIENCE_MS = 600_000;

const rounded = (n: number): number => Math.round(n * 10) / 10;

console.log(JSON.stringify(machine()));
const pair = await startPair({ database: await earshotDatabase({ calls }) });
try {
  const began = performance.now();
  await pair.startReplica();
  const up = performance.now();
  await caughtUp(pair, PATIENCE_MS);
  const load_seconds = (performance.now() - up) / 1000;
  if (callsIn(pair.files.replica) !== callsIn(pair.files.primary)) throw new Error("calls are missing");
  const megabytes = statSync(pair.files.primary).size / 2 ** 20;

  await pair.replica.stop();
  const before = callsIn(pair.files.primary);
  for (let sent = 0; sent < written; sent += 500) await sendDemo(pair.primary, 500, sent, `w${sent}`);
  const more = callsIn(pair.files.primary) - before;
  await pair.startReplica();
  const again = performance.now();
  await caughtUp(pair, PATIENCE_MS);
  const catch_up_seconds = (performance.now() - again) / 1000;
  console.log(
    JSON.stringify({
      bench: "replica",
      calls,
      megabytes: rounded(megabytes),
      start_seconds: rounded((up - began) / 1000),
      load_seconds: rounded(load_seconds),
      calls_per_second: Math.round(calls / load_seconds),
      written: more,
      catch_up_seconds: rounded(catch_up_seconds),
      written_per_second: Math.round(more / catch_up_seconds),
    }),
  );
} finally {
  await pair.close();
}
