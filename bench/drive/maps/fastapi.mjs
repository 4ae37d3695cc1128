// How to drive the FastAPI peer.
// Each request function returns { method?, path, body? (object, sent as JSON), headers? }.
const q = (o) =>
  Object.entries(o)
    .map(([k, v]) => `${k}=${encodeURIComponent(v)}`)
    .join("&");

export default {
  name: "fastapi",
  headers: {}, // sent with every request and WebSocket handshake, e.g. { authorization: "Bearer ..." }
  health: "/health",

  // ids of the seeded data: i from 0 to N-1 or M-1
  callId: (i) => `call-${String(i).padStart(7, "0")}`,
  agentId: (i) => `agent-${String(i).padStart(3, "0")}`,

  getCall: (id) => ({ path: `/api/v1/calls/${id}` }),
  // from and to are ISO strings with Z; any of the filters may be null
  listCalls: ({ agentId, from, to, minSentiment, maxSentiment, limit, offset }) => ({
    path:
      "/api/v1/calls?" +
      q(
        Object.fromEntries(
          Object.entries({
            agent_id: agentId,
            from_date: from,
            to_date: to,
            min_sentiment: minSentiment,
            max_sentiment: maxSentiment,
            limit,
            offset,
          }).filter(([, v]) => v != null),
        ),
      ),
  }),
  agents: () => ({ path: "/api/v1/analytics/agents" }),
  recommendations: (id) => ({ path: `/api/v1/calls/${id}/recommendations` }),
  // record: call_id, agent_id, customer_id, language, start_time, duration_seconds, transcript.
  // Keep call_id where it is in the JSON text: the driver swaps a mark of fixed width in it.
  createCall: (record) => ({ method: "POST", path: "/api/v1/calls", body: record }),
  bulk: (records) => ({ method: "POST", path: "/api/v1/calls/bulk", body: { calls: records } }),

  feed: () => ({ path: "/ws/feed" }),
  // the posts that a feed message tells of, by the id given to the driver's post
  feedPosts: (text) => [JSON.parse(text).call?.call_id].filter(Boolean),

  // checks of one answer of each kind, before anything is timed: throw if it is not what was asked for
  check: {
    get: (json, id) => json.call_id === id && json.transcript.length > 100,
    list: (json) => Array.isArray(json.items) && Number.isInteger(json.total),
    agents: (json, m) => json.agents.length === m,
    recs: (json) => json.similar_calls.length === 5 && json.coaching_nudges.length === 3,
  },
};
