/** Writing through one process, reading through another whose replica lags by seconds. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ask, startPostgres, startReplica, stopPostgres } from "../support/postgres-server.ts";
import { type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";

describe.skipIf(requirement("postgres") === null)("a replica that lags", () => {
  test("a read that brings the position of a write sees it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "earshot-replica-"));
    chmodSync(folder, 0o755);
    const { path, cleanup } = await temporaryFolder();
    const servers: Earshot[] = [];
    try {
      const primary = await startPostgres(join(folder, "primary"));
      await ask(primary.url("postgres"), "CREATE DATABASE earshot");
      const env = {
        EARSHOT_DATA_DIR: path,
        EARSHOT_STORE_URL: primary.url("earshot"),
        EARSHOT_JWT_SECRET: "a secret that all processes know for tests",
        EARSHOT_MODEL_DIR: "statistical:",
        EARSHOT_LOG_LEVEL: "error",
      };
      const writer = await startEarshot(env, ["serve", "--role", "api,realtime"]);
      servers.push(writer);
      const lagging = ["recovery_min_apply_delay = 5s"];
      const replica = await startReplica(join(folder, "replica"), primary, lagging);
      const replicas = { EARSHOT_STORE_REPLICA_URLS: replica.url("earshot") };
      const reader = await startEarshot({ ...env, ...replicas }, ["serve", "--role", "api,realtime"]);
      servers.push(reader);
      for (let i = 0; i < 20; i++) {
        const body = { call_id: `call-${i}`, transcript: "Agent: Hello.\nCustomer: Good day." };
        const written = await writer.call("POST", "/api/v1/calls", body);
        const position = written.headers.get("earshot-position") ?? "";
        expect(position).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
        const headers = { "earshot-position": position };
        const read = await reader.call("GET", `/api/v1/calls/call-${i}`, undefined, headers);
        expect([i, read.status]).toEqual([i, 200]);
      }
      expect(await ask(replica.url("earshot"), "SELECT 1 FROM call_records")).toEqual([]);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
      stopPostgres(join(folder, "replica"));
      stopPostgres(join(folder, "primary"));
      rmSync(folder, { recursive: true, force: true });
      await cleanup();
    }
  }, 60_000);
});
