import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openLake } from "../../src/adapters/lake/open.ts";
import { type S3Place, s3Objects } from "../../src/adapters/lake/s3.ts";
import { temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";
import { type S3Server, startS3 } from "../support/s3-server.ts";
import { lakeContract, type TestLake } from "./lake.contract.ts";

const program = requirement("s3");
const server = program === null ? null : await startS3(program);
afterAll(() => server?.close());

let places = 0;

function s3Place(): S3Place {
  const { endpoint, bucket, access_key, secret_key } = server as S3Server;
  return { endpoint, region: "us-east-1", bucket, prefix: `calls/of-${places++}`, access_key, secret_key };
}

async function s3Lake(): Promise<TestLake> {
  const place = s3Place();
  const { path, cleanup } = await temporaryFolder();
  const folders: string[] = [];
  // A folder for each: processes on different machines share nothing but the bucket.
  const open: TestLake["open"] = (timezone = "UTC") => {
    const cacheFolder = join(path, `cache-${folders.length}`);
    folders.push(cacheFolder);
    return openLake({ place: { kind: "s3", ...place }, cacheFolder, timezone, now: Date.now });
  };
  return { open, objects: s3Objects(place, join(path, "eye")), folders, close: cleanup };
}

describe.skipIf(server === null)("s3", () => {
  lakeContract("s3", s3Lake);

  test("of many who create a name at once one does", async () => {
    const { path, cleanup } = await temporaryFolder();
    const objects = s3Objects(s3Place(), path);
    for (let i = 0; i < 10; i++) {
      const done = await Promise.all([1, 2, 3, 4].map((n) => objects.create(`manifests/${i}.json`, String(n))));
      expect(done.filter(Boolean)).toHaveLength(1);
      expect(await objects.read(`manifests/${i}.json`)).toBe(String(done.indexOf(true) + 1));
    }
    await cleanup();
  });

  test("says what is wrong with the bucket or the key, without the key", async () => {
    const { path, cleanup } = await temporaryFolder();
    const place = s3Place();
    const open = (more: Partial<S3Place>) =>
      openLake({ place: { kind: "s3", ...place, ...more }, cacheFolder: path, timezone: "UTC", now: Date.now });
    const absent = await open({ bucket: "no-such-bucket" });
    await expect(absent.state()).rejects.toThrow(/no-such-bucket/);
    const wrong = await open({ secret_key: "wrong-secret-key" });
    await expect(wrong.state()).rejects.toThrow(/403 SignatureDoesNotMatch/);
    await expect(wrong.state()).rejects.not.toThrow(/wrong-secret-key/);
    await absent.close();
    await wrong.close();
    await cleanup();
  });
});
