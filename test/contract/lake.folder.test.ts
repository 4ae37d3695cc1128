import { appendFileSync, chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderObjects } from "../../src/adapters/lake/folder.ts";
import { openLake } from "../../src/adapters/lake/open.ts";
import { writeLake } from "../../src/services/lake-writer.ts";
import { enrichedCall } from "../support/lake-calls.ts";
import { temporaryFolder } from "../support/process.ts";
import { freshStore } from "../support/sqlite-store.ts";
import { lakeContract, type TestLake } from "./lake.contract.ts";

async function folderLake(): Promise<TestLake & { folder: string }> {
  const { path, cleanup } = await temporaryFolder();
  const folder = join(path, "lake");
  return {
    folder,
    open: (timezone = "UTC") =>
      openLake({ place: { kind: "folder", path: folder }, cacheFolder: join(path, "cache"), timezone, now: Date.now }),
    objects: folderObjects(folder),
    folders: [join(path, "cache")],
    close: cleanup,
  };
}

lakeContract("folder", folderLake);

test("check finds a file that was changed and one that is gone; what cannot be read is said, not answered", async () => {
  const place = await folderLake();
  const lake = await place.open();
  const { store, remove } = await freshStore();
  try {
    await enrichedCall(store, "a", { start_time: Date.UTC(2026, 2, 1) });
    await enrichedCall(store, "b", { start_time: Date.UTC(2026, 2, 2) });
    await writeLake({ ...store, lake, terms: { log_id: "log", timezone: "UTC", text: false } });
    const [first = "", second = ""] = await place.objects.list("calls/");
    chmodSync(join(place.folder, first), 0o600);
    appendFileSync(join(place.folder, first), "more");
    rmSync(join(place.folder, second));
    expect(await lake.check()).toEqual([
      expect.stringMatching(new RegExp(`^${first} is not what was written`)),
      `${second} is not there`,
    ]);
    await expect(lake.query("SELECT 1 FROM calls")).rejects.toMatchObject({ code: "store_unavailable" });
  } finally {
    await lake.close();
    await remove();
    await place.close();
  }
});
