/** A lake in a bucket. What is read is fetched into a folder here first: DuckDB's own way to S3 is an extension to download. */
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { randomBytes } from "node:crypto";
import { AwsClient } from "aws4fetch";
import { filesUnder } from "./folder.ts";
import { forEachName, type Objects } from "./objects.ts";

export interface S3Place {
  /** http:// or https://, without the bucket: it is addressed by path. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly access_key: string;
  readonly secret_key: string;
}

/** Tries of a request that the server could not answer, with a pause that doubles from 50 ms. */
const RETRIES = 4;
const PATIENCE_MS = 60_000;

/** @param folder for what is fetched; made when needed */
export function s3Objects(place: S3Place, folder: string): Objects {
  const aws = new AwsClient({
    accessKeyId: place.access_key,
    secretAccessKey: place.secret_key,
    service: "s3",
    region: place.region,
    retries: RETRIES,
  });
  const base = `${place.endpoint.replace(/\/$/, "")}/${place.bucket}`;
  const root = place.prefix === "" ? "" : `${place.prefix}/`;
  const path = (name: string): string => join(folder, name);

  async function ask(method: string, target: string, init: { body?: Buffer | string; once?: boolean } = {}) {
    const answer = await aws.fetch(base + target, {
      method,
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(init.body !== undefined && { body: init.body }),
      ...(init.once && { headers: { "if-none-match": "*" } }),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (answer.ok || answer.status === 404) return { status: answer.status, body };
    // 409: another request for this name was under way, and may have come through.
    if (init.once && (answer.status === 412 || answer.status === 409)) return { status: 412, body };
    const code = /<Code>([^<]*)<\/Code>/.exec(body.toString())?.[1] ?? "";
    throw new Error(`S3 answered ${method} with ${answer.status} ${code}`.trimEnd());
  }
  /** Names hold letters, digits, `-`, `=`, `.` and `/` alone. */
  const key = (name: string): string => `/${encodeURI(root + name).replaceAll("=", "%3D")}`;
  const found = async (answer: ReturnType<typeof ask>): Promise<Buffer | null> => {
    const { status, body } = await answer;
    if (status !== 404) return body;
    if (body.includes("NoSuchBucket")) throw new Error(`there is no bucket ${place.bucket}`);
    return null;
  };

  return {
    name: `s3://${place.bucket}/${place.prefix}`,
    folder,
    publish: (names) =>
      forEachName(names, async (name) => {
        if ((await found(ask("PUT", key(name), { body: await readFile(path(name)) }))) === null)
          throw new Error(`S3 took no ${name}`);
      }),
    async fetch(name) {
      const here = await stat(path(name)).catch(() => null);
      if (here !== null) return true;
      const body = await found(ask("GET", key(name)));
      if (body === null) return false;
      await mkdir(dirname(path(name)), { recursive: true, mode: 0o700 });
      const half = `${path(name)}.${randomBytes(4).toString("hex")}`;
      await writeFile(half, body, { mode: 0o600 });
      await rename(half, path(name));
      return true;
    },
    async read(name) {
      return (await found(ask("GET", key(name))))?.toString("utf8") ?? null;
    },
    async create(name, text) {
      const { status, body } = await ask("PUT", key(name), { body: text, once: true });
      if (status === 404) throw new Error(`there is no bucket ${place.bucket}: ${body.toString().slice(0, 200)}`);
      return status !== 412;
    },
    async list(prefix) {
      const names: string[] = [];
      let next: string | undefined;
      do {
        const query = new URLSearchParams({ "list-type": "2", prefix: root + prefix });
        if (next !== undefined) query.set("continuation-token", next);
        const text = (await found(ask("GET", `?${query.toString()}`)))?.toString("utf8") ?? "";
        for (const [, name = ""] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) names.push(name.slice(root.length));
        next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(text)?.[1];
      } while (next !== undefined);
      return names.toSorted();
    },
    async remove(names) {
      await forEachName(names, async (name) => void (await ask("DELETE", key(name))));
    },
    fetched: () => filesUnder(folder, "calls/"),
    async forget(names) {
      for (const name of names) await rm(path(name), { force: true });
    },
  };
}
