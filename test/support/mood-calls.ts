/** A server with 24 enriched calls of three moods and two agents, a day each, and one call that waits. */
import { type TestHttp, startHttp } from "./http-server.ts";

const MOODS = [
  ["bad", "This is terrible. I hate it and I am very angry about the awful price."],
  ["flat", "The meeting is on the second floor of the building."],
  ["good", "This is wonderful! I love it, thank you, that is a great offer."],
] as const;

/** Calls c00 to c23 of ana and ben in turn: every third says the same words. `fresh`, of cem, is not enriched. */
export async function startWithMoods(): Promise<TestHttp> {
  const http = await startHttp({ model: true });
  const calls = Array.from({ length: 24 }, (_, i) => {
    const [, words] = MOODS[i % 3] as (typeof MOODS)[number];
    return {
      call_id: `c${String(i).padStart(2, "0")}`,
      agent_id: ["ana", "ben"][i % 2],
      customer_id: `cust-${i % 4}`,
      start_time: new Date(Date.UTC(2026, 2, 1 + i, 12)).toISOString(),
      duration_seconds: 60 + i,
      outcome: ["won", "lost", "open"][i % 3],
      transcript: `Agent: Good morning, this is ${i}. How can I help you today?\nCustomer: ${words}\nAgent: I see. Shall we talk next Tuesday?`,
    };
  });
  await http.ask("POST", "/api/v1/calls/bulk", { body: { calls } });
  await http.enrich();
  await http.ask("POST", "/api/v1/calls", {
    body: { call_id: "fresh", agent_id: "cem", transcript: "Customer: Nothing yet" },
  });
  return http;
}
