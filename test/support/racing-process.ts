/** Another process on the same file: says it is ready, waits for a line, then accepts a call of its own under each key. */
import { once } from "node:events";
import { aCall, openQuiet } from "./sqlite-store.ts";

const [path, name, count] = process.argv.slice(2);
if (!path || !name) throw new Error("usage: racing-process.ts PATH NAME COUNT");
const store = await openQuiet(path);
process.stdout.write("ready\n");
await once(process.stdin, "data");
const results = [];
for (let i = 0; i < Number(count); i++) {
  let replayed = false;
  const key = { account_id: "me", key: `k${i}`, fingerprint: "f" };
  const writes = store.idempotency.under(key, () => (replayed = true));
  const [result] = await writes.calls.accept([aCall(`${name}-${i}`)], 1);
  results.push({ replayed, call_id: result?.call_id ?? `${name}-${i}`, status: result?.status });
}
process.stdout.write(JSON.stringify(results));
await store.close();
process.exit();
