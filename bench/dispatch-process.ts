/** A process of dispatch.ts: node bench/dispatch-process.ts DATABASE STREAM DISPATCH CALLS accepts calls and tells when. */
import { setTimeout as pause } from "node:timers/promises";
import { openRedisDispatch } from "../src/adapters/redis/dispatch.ts";
import { openRedisStream } from "../src/adapters/redis/stream.ts";
import { logStream } from "../src/adapters/sql/log-stream.ts";
import { openSqlite } from "../src/adapters/sql/open.ts";
import { pollingDispatch } from "../src/adapters/sql/polling-dispatch.ts";
import { openPostgres } from "../src/adapters/sql/postgres/open.ts";
import type { Store } from "../src/adapters/sql/store.ts";
import type { Dispatch } from "../src/ports/dispatch.ts";
import type { Work } from "../src/ports/work.ts";
import { tellWork } from "../src/services/tell-work.ts";
import { random } from "../test/support/call-rows.ts";
import { aCall, silent } from "../test/support/sqlite-store.ts";

export interface Place {
  /** postgres://…, or a file. */
  readonly database: string;
  /** sql: or redis://… */
  readonly stream: string;
  readonly dispatch: string;
}

export interface Accepted {
  readonly call_id: string;
  /** Epoch ms, with a fraction. */
  readonly at: number;
}

/** A store and how its workers hear of work, once they do. `watch` sees the looks into the store. */
export async function openPlace(
  { database, stream, dispatch }: Place,
  watch: (work: Work) => Work = (work) => work,
): Promise<{ store: Store; dispatch: Dispatch; close: () => Promise<void> }> {
  const options = { timezone: "UTC", log: silent };
  const opened = database.startsWith("postgres")
    ? await openPostgres({ ...options, url: database, pool: 10 })
    : await openSqlite({ ...options, path: database, readers: 1 });
  const store: Store = { ...opened, work: watch(opened.work) };
  const log = store.events;
  const events =
    stream === "sql:" ? logStream(log) : openRedisStream({ url: stream, log, log_id: "bench", onChange: () => {} });
  const { work } = store;
  const polling = () => pollingDispatch({ events, work });
  const told =
    dispatch === "sql:"
      ? polling()
      : openRedisDispatch({
          url: dispatch,
          log_id: "bench",
          work,
          takes: process.send === undefined,
          standIn: polling,
          onChange: () => {},
        });
  while (events.problem() !== null || told.problem() !== null) await pause(5);
  return {
    store,
    dispatch: told,
    async close() {
      await told.close();
      await events.close();
      await store.close();
    },
  };
}

if (process.send !== undefined) {
  const [database = "", stream = "", dispatch = "", count = "0"] = process.argv.slice(2);
  const place = await openPlace({ database, stream, dispatch });
  const { calls } = tellWork(place.store, place.dispatch);
  const next = random(Number(count));
  const accepted: Accepted[] = [];
  for (let i = 0; i < Number(count); i++) {
    await pause(10 + next() * 60);
    await calls.accept([aCall(`c${i}`)], 1);
    accepted.push({ call_id: `c${i}`, at: performance.timeOrigin + performance.now() });
  }
  // The last one is on its way.
  await pause(1_000);
  process.send?.(accepted);
  process.disconnect?.();
  await place.close();
}
