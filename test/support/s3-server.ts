/** A real S3 server (SeaweedFS) of a test file's own, on free ports, in a temporary folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { freePort } from "./free-port.ts";
import { temporaryFolder } from "./process.ts";

const ACCESS_KEY = "test-access";
const SECRET_KEY = "test-secret-of-the-s3-server";
const BUCKET = "earshot";
const PATIENCE_MS = 30_000;

export interface S3Server {
  readonly endpoint: string;
  readonly access_key: string;
  readonly secret_key: string;
  /** The one it has: each more would take several volumes of the disk. */
  readonly bucket: string;
  /** Stops it as SIGSTOP does: connections stay and nothing is answered. */
  freeze(): void;
  resume(): void;
  /** Ends it and removes what it left. */
  close(): Promise<void>;
}

/** @param program path of weed, as `requirement("s3")` found it */
export async function startS3(program: string): Promise<S3Server> {
  const { path, cleanup } = await temporaryFolder();
  const identity = {
    name: "earshot",
    credentials: [{ accessKey: ACCESS_KEY, secretKey: SECRET_KEY }],
    actions: ["Admin", "Read", "Write", "List"],
  };
  writeFileSync(join(path, "s3.json"), JSON.stringify({ identities: [identity] }));
  mkdirSync(join(path, "data"));
  const options: Record<string, string | number | boolean> = {
    dir: join(path, "data"),
    ip: "127.0.0.1",
    "ip.bind": "127.0.0.1",
    s3: true,
    "s3.config": join(path, "s3.json"),
    "s3.iam": false,
    "s3.port.iceberg": 0,
    "s3.port.lance": 0,
    "volume.max": 16,
    "master.volumeSizeLimitMB": 64,
  };
  for (const part of ["master", "volume", "filer", "s3"]) {
    options[`${part}.port`] = await freePort();
    options[`${part}.port.grpc`] = await freePort();
  }
  const args = Object.entries(options).map(([name, value]) => `-${name}=${value}`);
  const child = spawn(program, ["-logtostderr=true", "server", ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4_000)));
  const ended = once(child, "exit");
  const endpoint = `http://127.0.0.1:${options["s3.port"]}`;
  const aws = new AwsClient({ accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY, service: "s3", retries: 0 });

  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    await cleanup();
  };
  // It listens before it can store: the bucket and a first object tell.
  const ready = async (): Promise<boolean> => {
    const made = await aws.fetch(`${endpoint}/${BUCKET}`, { method: "PUT" });
    await made.arrayBuffer();
    const put = await aws.fetch(`${endpoint}/${BUCKET}/ready`, { method: "PUT", body: "ready" });
    await put.arrayBuffer();
    return put.ok;
  };
  const late = performance.now() + PATIENCE_MS;
  while (!(await ready().catch(() => false))) {
    if (performance.now() > late || child.exitCode !== null) {
      await close();
      throw new Error(`the S3 server did not start:\n${said}`);
    }
    // There is nothing to wait for: a port that is not there yet tells nobody.
    await delay(50);
  }
  return {
    endpoint,
    access_key: ACCESS_KEY,
    secret_key: SECRET_KEY,
    bucket: BUCKET,
    freeze: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    close,
  };
}
