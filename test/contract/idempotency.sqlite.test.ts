import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { unpack } from "../../src/adapters/sql/codec.ts";
import { openForReading, openForWriting } from "../../src/adapters/sql/connection.ts";
import { makeSqlite } from "../support/sqlite-suite.ts";
import { aCall, openQuiet, temporary } from "../support/sqlite-store.ts";
import { idempotencyContract } from "./idempotency.contract.ts";

idempotencyContract("sqlite", makeSqlite);

const RACER = fileURLToPath(new URL("../support/racing-process.ts", import.meta.url));

interface Raced {
  readonly replayed: boolean;
  readonly call_id: string;
  readonly status: string;
}

async function racer(path: string, name: string, keys: number) {
  const child = spawn(process.execPath, [RACER, path, name, String(keys)], { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8");
  await once(child.stdout, "data");
  child.stdout.on("data", (s: string) => (text += s));
  return async (): Promise<Raced[]> => {
    const closed = once(child, "close");
    child.stdin.write("go\n");
    expect(await closed).toEqual([0, null]);
    return JSON.parse(text) as Raced[];
  };
}

it("two processes that race with the same keys make one call a key, and both are told which", async () => {
  const KEYS = 60;
  const place = temporary();
  await (await openQuiet(place.path)).close();
  const go = await Promise.all([racer(place.path, "a", KEYS), racer(place.path, "b", KEYS)]);
  const [a, b] = (await Promise.all(go.map((start) => start()))) as [Raced[], Raced[]];
  expect(a.map((r) => r.call_id)).toEqual(b.map((r) => r.call_id));
  expect(a.map((r, i) => r.replayed !== b[i]?.replayed)).toEqual(Array(KEYS).fill(true));
  const eye = openForReading(place.path);
  const stored = eye.prepare("SELECT call_id FROM call_records ORDER BY call_id").pluck().all();
  eye.close();
  expect(stored).toEqual(a.map((r) => r.call_id).toSorted());
  place.remove();
});

it("a key is written in the transaction of what it stands for, or not at all", async () => {
  const place = temporary();
  const store = await openQuiet(place.path);
  // The key's row is refused: then there must be no call either.
  const db = openForWriting(place.path);
  db.exec("CREATE TRIGGER no_keys BEFORE INSERT ON idempotency_keys BEGIN SELECT RAISE(ABORT, 'no keys today'); END");
  const key = { account_id: "me", key: "k", fingerprint: "f" };
  const accept = () => store.idempotency.under(key, () => expect.unreachable()).calls.accept([aCall("a")], 1);
  await expect(accept()).rejects.toThrow("no keys today");
  expect(db.prepare("SELECT count(*) FROM call_records").pluck().get()).toBe(0);
  db.exec("DROP TRIGGER no_keys");
  db.close();
  expect(await accept()).toMatchObject([{ status: "accepted" }]);
  await store.close();
  place.remove();
});

it("keeps ids and numbers of a request, and no word of a call", async () => {
  const place = temporary();
  const store = await openQuiet(place.path);
  const key = { account_id: "me", key: "k", fingerprint: "f" };
  await store.idempotency.under(key, () => undefined).calls.accept([aCall("a", {}, ["canary words"])], 1);
  const eye = openForReading(place.path);
  const rows = eye.prepare("SELECT * FROM idempotency_keys").all() as { outcome: Buffer }[];
  eye.close();
  expect(rows).toHaveLength(1);
  expect(JSON.parse(unpack(rows[0]?.outcome ?? Buffer.alloc(0)))).toEqual([
    { call_id: "a", status: "accepted", call_no: 1, revision: 1 },
  ]);
  await store.close();
  place.remove();
});
