/** Several processes that start at once where nothing is yet: keys, database and schema are made once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";

test("three first starts at once on an empty folder agree on the keys and serve one database", async () => {
  const { path, cleanup } = await temporaryFolder();
  let servers: Earshot[] = [];
  try {
    // Empty counts as unset: each makes an admin key and a secret for sessions, or finds them.
    const env = {
      EARSHOT_DATA_DIR: path,
      EARSHOT_ADMIN_KEY: "",
      EARSHOT_MODEL_DIR: "statistical:",
      EARSHOT_LOG_LEVEL: "warn",
    };
    const starts = await Promise.allSettled([1, 2, 3].map(() => startEarshot(env)));
    servers = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    expect(starts.map((start) => (start.status === "rejected" ? String(start.reason) : "listens"))).toEqual([
      "listens",
      "listens",
      "listens",
    ]);
    const headers = { authorization: `Bearer ${readFileSync(join(path, "admin.key"), "utf8").trim()}` };
    for (const [i, server] of servers.entries()) {
      const body = { call_id: `call-${i}`, transcript: "Agent: Hello.\nCustomer: Good day." };
      expect((await server.call("POST", "/api/v1/calls", body, headers)).status).toBe(202);
    }
    const added = await runCli(["users", "add", "ann", "--role", "admin"], env, "a long password of ann\n");
    expect(added.code).toBe(0);
    const login = { username: "ann", password: "a long password of ann" };
    const [first] = servers as [Earshot];
    const session = await first.call("POST", "/auth/login", login, { authorization: "" });
    const { access_token } = (await session.json()) as { access_token: string };
    for (const server of servers) {
      const list = await server.call("GET", "/api/v1/calls", undefined, { authorization: `Bearer ${access_token}` });
      expect(list.status).toBe(200);
      expect(((await list.json()) as { calls: unknown[] }).calls).toHaveLength(3);
    }
    expect(servers.map((server) => server.stderr()).join("")).not.toContain("error");
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await cleanup();
  }
}, 60_000);
