import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readOrMakeSecret } from "../../src/secrets.ts";
import { temporaryFolder } from "../support/process.ts";

test("of many first starts at once one makes the secret and all have it, never a part of it", async () => {
  const { path: folder, cleanup } = await temporaryFolder();
  try {
    for (let round = 0; round < 20; round++) {
      const path = join(folder, `key-${round}`);
      const all = await Promise.all(Array.from({ length: 12 }, () => readOrMakeSecret(path, "ek_")));
      expect(all.filter(({ made }) => made)).toHaveLength(1);
      expect(new Set(all.map(({ secret }) => secret))).toEqual(new Set([(await readFile(path, "utf8")).trim()]));
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
    // No drafts are left.
    expect(await readdir(folder)).toHaveLength(20);
  } finally {
    await cleanup();
  }
});
