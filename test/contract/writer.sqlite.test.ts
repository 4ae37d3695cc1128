/** The event loop's end of the writer thread: what happens when the thread dies, and when too much waits for it. */
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openForWriting } from "../../src/adapters/sql/connection.ts";
import { Writer } from "../../src/adapters/sql/writer.ts";
import { temporary } from "../support/sqlite-store.ts";

let place: ReturnType<typeof temporary>;
let writer: Writer;
let threads: Worker[];
const onThread = (thread: Worker) => void threads.push(thread);
beforeEach(async () => {
  place = temporary();
  threads = [];
  process.on("worker", onThread);
  writer = await Writer.start(
    { path: place.path, timezone: "UTC", lock_wait_ms: 10_000, group_rows: 4_000 },
    () => undefined,
  );
});
afterEach(async () => {
  process.off("worker", onThread);
  await writer.close();
  place.remove();
});

const put = (sha256: string) =>
  writer.run(
    "sql",
    {
      statements: [
        { sql: "INSERT INTO one_use (sha256, account_id, expires_at) VALUES (?, 'a', 0)", params: [sha256] },
      ],
    },
    1,
  );

it("refuses what waited for a thread that died, and starts another for what comes next", async () => {
  await put("before");
  // Held up, so that it cannot be written before the thread ends.
  const other = openForWriting(place.path);
  other.exec("BEGIN IMMEDIATE");
  const waiting = put("lost");
  await threads.at(-1)?.terminate();
  await expect(waiting).rejects.toMatchObject({ code: "store_unavailable", message: "The writer thread ended" });
  other.exec("ROLLBACK");
  other.close();
  expect(await put("after")).toMatchObject([{ changes: 1 }]);
  expect(threads.length).toBe(2);
});

it("refuses commands at once when 20,000 are waiting, and takes them again later", async () => {
  const other = openForWriting(place.path);
  other.exec("BEGIN IMMEDIATE");
  const waiting = Array.from({ length: 20_000 }, (_, i) =>
    put(`w${i}`).then(
      () => "done",
      () => "refused",
    ),
  );
  await expect(put("one too many")).rejects.toMatchObject({
    code: "store_unavailable",
    message: "Too many writes are waiting",
    retryAfter: 1,
  });
  other.exec("COMMIT");
  other.close();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["done"]));
  expect(await put("later")).toMatchObject([{ changes: 1 }]);
});
