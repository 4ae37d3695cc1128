// How to drive Earshot.
import peer from "./fastapi.mjs";

export default {
  ...peer,
  name: "earshot",
  recommendations: (id, filter) => {
    const { path } = peer.recommendations(id);
    if (filter === undefined) return { path };
    const { agentId, from, to } = filter;
    return { path: `${path}?${new URLSearchParams({ agent_id: agentId, from_date: from, to_date: to })}` };
  },
  // The general socket tells how many calls there are, at most twice a second, to everybody in scope; a message counts for
  // every post it includes. A socket with a message a call does not exist yet.
  feed: () => ({ path: "/ws" }),
  feedHello: JSON.stringify({ type: "start_streaming" }),
  feedState: () => ({ path: "/api/v1/analytics/agents" }),
  feedBase: (agents) => agents.reduce((sum, a) => sum + a.total_calls, 0),
  feedId: (b) => b,
  feedPosts: (() => {
    const seen = new Map();
    return (text, { base, posted, socket }) => {
      const total = JSON.parse(text).data?.total_calls;
      if (total === undefined) return [];
      const from = seen.get(socket) ?? 0;
      const to = Math.min(posted, total - base);
      if (to <= from) return [];
      seen.set(socket, to);
      return Array.from({ length: to - from }, (_, i) => from + i);
    };
  })(),

  check: {
    get: (json, id) =>
      json.call_id === id && json.transcript.length > 100 && json.turns.length > 1 && json.insights !== null,
    list: (json) => Array.isArray(json.calls) && Number.isInteger(json.total),
    agents: (json, m) => json.length === m,
    recs: (json) => json.similar_calls.length === 5 && json.coaching_nudges.length === 3,
  },
};
