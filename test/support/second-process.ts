/** Another process on the same file: accepts the calls named on the command line, then ends. */
import { aCall, openQuiet } from "./sqlite-store.ts";

const [path, ...ids] = process.argv.slice(2);
if (!path) throw new Error("usage: second-process.ts PATH CALL_ID…");
const store = await openQuiet(path);
await Promise.all(ids.map((id) => store.calls.accept([aCall(id, { agent_id: "other" })], 1)));
await store.close();
