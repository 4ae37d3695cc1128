/** Through PgBouncer in transaction mode: nothing may rest on a connection being the same as before. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import { startPgBouncer } from "../support/pgbouncer.ts";
import { freshDatabase, sharedPostgres } from "../support/postgres-server.ts";
import { makeThrough, openQuietPostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { aCall } from "../support/sqlite-store.ts";
import { callsContract } from "./calls.contract.ts";
import { eventsContract } from "./events.contract.ts";

const program = requirement("postgres") === null ? null : requirement("pgbouncer");

describe.skipIf(program === null)("behind PgBouncer", () => {
  let bouncer: Awaited<ReturnType<typeof startPgBouncer>>;
  let server: string;
  beforeAll(async () => {
    server = await sharedPostgres();
    bouncer = await startPgBouncer(program as string, server);
  });
  afterAll(() => bouncer.stop());
  const through = (url: string) => url.replace(server, bouncer.url);

  callsContract("postgres", (options) => makeThrough(through, options));
  eventsContract("postgres", (options) => makeThrough(through, options));

  test("another process hears of a commit without a notification", async () => {
    const { url, drop } = await freshDatabase();
    const one = await openQuietPostgres(through(url));
    const other = await openQuietPostgres(through(url));
    let heard = 0;
    other.events.onChange(() => heard++);
    await one.calls.accept([aCall("a")], 1);
    await expect.poll(() => heard).toBe(1);
    expect((await other.events.after(0, 10, EVERYTHING)).events).toHaveLength(1);
    await one.close();
    await other.close();
    await drop();
  });
});
