/** Clients that never send anything twice: whatever is not answered well is a failure, and written down. */
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { AUTHORIZED } from "./several.ts";

export interface SteadyLoad {
  /** What went wrong, a sentence each; at most fifty. */
  readonly failed: readonly string[];
  /** Ids of calls that were acknowledged, as the answers gave them. */
  readonly acknowledged: readonly string[];
  readonly reads: () => number;
  /** Answers of 202 that say they repeat another. */
  readonly replayed: () => number;
  /** Resolves when all that was begun is answered. */
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly replayed: boolean;
  readonly body: string;
}

/** `rates` a second: reads of figures and lists, and single POSTs without an id but with an Idempotency-Key. */
export function steadyLoad(url: string, rates: { reads: number; posts: number; name: string }): SteadyLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const failed: string[] = [];
  const acknowledged: string[] = [];
  const running = new Set<Promise<void>>();
  let reads = 0;
  let replayed = 0;
  let going = true;

  const ask = (method: string, path: string, body = "", headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(url + path, { agent, method, headers: { ...AUTHORIZED, ...headers } }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (more: string) => (text += more));
        response.on("error", reject).on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            replayed: response.headers["idempotency-replayed"] === "true",
            body: text,
          }),
        );
      });
      sent.on("error", reject).end(body);
    });
  const expecting = async (what: string, status: number, answer: Promise<Answer>): Promise<Answer | null> => {
    try {
      const given = await answer;
      if (given.status === status) return given;
      if (failed.length < 50) failed.push(`${what}: ${given.status} ${given.body.slice(0, 200)}`);
    } catch (error) {
      if (failed.length < 50) failed.push(`${what}: ${String(error)}`);
    }
    return null;
  };
  const PATHS = [
    "/api/v1/analytics/agents",
    "/api/v1/calls?limit=20",
    "/api/v1/events?after=0&limit=10",
    "/openapi.json",
  ];
  const read = async (i: number): Promise<void> => {
    const path = PATHS[i % PATHS.length] as string;
    if ((await expecting(`GET ${path}`, 200, ask("GET", path))) !== null) reads++;
  };
  const post = async (i: number): Promise<void> => {
    const transcript = `Agent: How can I help?\nCustomer: The invoice ${rates.name} ${i} is wrong and I am tired of it.`;
    const headers = { "content-type": "application/json", "idempotency-key": `"${rates.name}-${i}"` };
    const body = JSON.stringify({ agent_id: `agent-${i % 3}`, transcript });
    const answer = await expecting("POST /api/v1/calls", 202, ask("POST", "/api/v1/calls", body, headers));
    if (answer === null) return;
    acknowledged.push((JSON.parse(answer.body) as { call_id: string }).call_id);
    if (answer.replayed) replayed++;
  };
  const every = async (rate: number, one: (i: number) => Promise<void>): Promise<void> => {
    const began = performance.now();
    for (let i = 0; going; i++) {
      await pause(Math.max(0, began + (i * 1_000) / rate - performance.now()));
      const done = one(i).finally(() => running.delete(done));
      running.add(done);
    }
  };
  const lanes = [every(rates.reads, read), every(rates.posts, post)];
  return {
    failed,
    acknowledged,
    reads: () => reads,
    replayed: () => replayed,
    async stop() {
      going = false;
      await Promise.all(lanes);
      await Promise.all(running);
      agent.destroy();
    },
  };
}
