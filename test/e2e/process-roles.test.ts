/** Processes of one role each on one file: each serves its part, says where the rest is, and together they are whole. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { ADMIN_KEY, type Earshot, startEarshot, temporaryFolder } from "../support/process.ts";

const headers = { authorization: `Bearer ${ADMIN_KEY}` };

/** What a process looks at of what not all need. */
const parts = async (earshot: Earshot): Promise<string[]> => {
  const { checks } = await earshot.get<{ checks: object }>("/health/ready");
  return Object.keys(checks).filter((name) => ["models", "index", "relay"].includes(name));
};

describe("a process for each role", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const processes: Earshot[] = [];
  let api: Earshot, worker: Earshot, realtime: Earshot, relay: Earshot;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const serve = async (role: string): Promise<Earshot> => {
      const earshot = await startEarshot(
        { EARSHOT_DATA_DIR: folder.path, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "warn" },
        ["serve", "--role", role],
      );
      processes.push(earshot);
      return earshot;
    };
    api = await serve("api");
    [worker, realtime, relay] = await Promise.all([serve("worker"), serve("realtime"), serve("relay")]);
  });
  afterAll(async () => {
    const ends = await Promise.all(processes.map((earshot) => earshot.stop()));
    await folder.cleanup();
    expect(ends).toEqual(processes.map(() => [0, null]));
  });

  const call = { call_id: "r1", transcript: "Agent: Hello.\nCustomer: I am really happy with this, thank you." };

  test("a call goes in by api, is enriched by worker, and is heard of from realtime", async () => {
    const ws = new WebSocket(`${realtime.url.replace("http", "ws")}/ws/feed?after=0`, { headers });
    const types = new Set<string>();
    ws.on("message", (data: Buffer) => types.add((JSON.parse(data.toString()) as { type: string }).type));
    expect((await api.call("POST", "/api/v1/calls", call)).status).toBe(202);
    await vi.waitFor(() => expect([...types]).toEqual(["hello", "call.accepted", "call.enriched"]), {
      timeout: 20_000,
    });
    ws.terminate();
  });

  test("a call that goes on is taken, scored and ended by realtime, and is a call for api then", async () => {
    const start = { call_id: "live1", agent_id: "ann" };
    expect((await realtime.call("POST", "/api/v1/live", start)).status).toBe(201);
    const turns = { turns: [{ speaker: "customer", text: "This is wonderful, I love it." }] };
    expect((await realtime.call("POST", "/api/v1/calls/live1/turns", turns)).status).toBe(202);
    await vi.waitFor(async () => {
      const live = await realtime.get<{ turns: { sentiment: number | null }[] }>("/api/v1/live/live1");
      expect(live.turns[0]?.sentiment).toBeGreaterThan(0);
    });
    expect((await realtime.call("POST", "/api/v1/calls/live1/end", { outcome: "won" })).status).toBe(202);
    expect(await api.get("/api/v1/calls/live1")).toMatchObject({ call_id: "live1", outcome: "won" });
  });

  test("what another role serves is 404 and says which", async () => {
    const asks: [Earshot, string, string, string][] = [
      [
        worker,
        "GET",
        "/api/v1/calls",
        "This process has the role worker; processes with the role api serve this address",
      ],
      [
        relay,
        "POST",
        "/api/v1/calls",
        "This process has the role relay; processes with the role api serve this address",
      ],
      [realtime, "GET", "/", "This process has the role realtime; processes with the role api serve this address"],
      [realtime, "POST", "/auth/ticket", "This process has the role realtime; processes with the role api serve"],
      [
        api,
        "POST",
        "/api/v1/live",
        "This process has the role api; processes with the role realtime serve this address",
      ],
      [api, "GET", "/api/v1/stream/feed", "processes with the role realtime serve this address"],
      [api, "GET", "/ws/feed", "processes with the role realtime serve this address"],
    ];
    for (const [earshot, method, path, sentence] of asks) {
      const answer = await earshot.call(method, path, method === "POST" ? call : undefined);
      expect({ path, status: answer.status }).toEqual({ path, status: 404 });
      expect(await answer.json()).toMatchObject({
        code: "not_found",
        detail: expect.stringContaining(sentence) as string,
      });
    }
    // Nobody needs credentials to learn that.
    expect((await fetch(`${worker.url}/api/v1/calls`)).status).toBe(404);
  });

  test.each(["/ws/feed", "/ws/live", "/socket.io/?EIO=4&transport=websocket"])(
    "a socket to %s that comes to api is told the same",
    async (path) => {
      const ws = new WebSocket(api.url.replace("http", "ws") + path, { headers });
      const body = await new Promise<string>((resolve, reject) => {
        ws.on("unexpected-response", (_request, response) => {
          let text = String(response.statusCode);
          response
            .setEncoding("utf8")
            .on("data", (more: string) => (text += more))
            .on("end", () => resolve(text));
        });
        ws.on("open", () => reject(new Error("it was taken")));
      });
      expect(body).toMatch(/^404.*processes with the role realtime serve this address/);
    },
  );

  test("each is healthy by what it needs, and shows its metrics", async () => {
    expect(await parts(api)).toEqual(["models", "index"]);
    expect(await parts(worker)).toEqual(["models"]);
    expect(await parts(realtime)).toEqual(["models"]);
    expect(await parts(relay)).toEqual(["relay"]);
    expect(await relay.get("/health/ready")).toMatchObject({ status: "ok" });
    for (const earshot of processes) expect((await earshot.call("GET", "/metrics")).status).toBe(200);
  });
});

describe("roles together", () => {
  test("several with commas are served by one process; without a port a worker listens to nobody", async () => {
    const folder = await temporaryFolder();
    const env = { EARSHOT_DATA_DIR: folder.path, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "warn" };
    const both = await startEarshot(env, ["serve", "--role", "api,worker"]);
    const silent = await startEarshot({ ...env, EARSHOT_PORT: "" }, ["serve", "--role", "worker,relay"]);
    try {
      expect((await both.call("POST", "/api/v1/calls", { transcript: "Agent: Hello." })).status).toBe(202);
      const refused = (await (await both.call("POST", "/api/v1/live", {})).json()) as { detail: string };
      expect(refused.detail).toContain("This process has the roles api and worker;");
      expect(silent.stdout()).not.toContain("http");
    } finally {
      expect(await both.stop()).toEqual([0, null]);
      expect(await silent.stop()).toEqual([0, null]);
      await folder.cleanup();
    }
  });
});
