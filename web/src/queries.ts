/** What the views read. Keys are the address of what is read, so a filter that comes back is there at once. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get } from "./api.ts";
import type { CallRow, Gets } from "./api-types.ts";

export type ListQuery = Gets["/api/v1/calls"]["query"];

export const me = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => get("/auth/me", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

export const callList = (query: ListQuery) =>
  queryOptions({
    queryKey: ["calls", query],
    queryFn: async ({ signal }) => {
      const { body, degraded } = await get("/api/v1/calls", { query, signal });
      // Without `fields` every column of a row is there; the document can say no more than that they may be.
      return { ...body, calls: body.calls as readonly CallRow[], degraded };
    },
    placeholderData: keepPreviousData,
  });

export const agents = queryOptions({
  queryKey: ["agents"],
  queryFn: ({ signal }) => get("/api/v1/analytics/agents", { signal }),
});

const WAITING = new Set(["pending", "running"]);

export const call = (call_id: string) =>
  queryOptions({
    queryKey: ["call", call_id],
    queryFn: ({ signal }) => get("/api/v1/calls/{call_id}", { params: { call_id }, signal }),
    // What was just sent is enriched within a second or two: the page follows.
    refetchInterval: ({ state }) => (WAITING.has(state.data?.body.enrichment.state ?? "") ? 1500 : false),
  });

/** `revision` of the enrichment, so that a new one asks anew. */
export const recommendations = (call_id: string, at: string | null) =>
  queryOptions({
    queryKey: ["recommendations", call_id, at],
    queryFn: ({ signal }) => get("/api/v1/calls/{call_id}/recommendations", { params: { call_id }, signal }),
  });

export const liveList = queryOptions({
  queryKey: ["live"],
  queryFn: ({ signal }) => get("/api/v1/live", { signal }),
});

/** What is known of a call that goes on; its turns come by its stream. */
export const liveCall = (call_id: string) =>
  queryOptions({
    queryKey: ["live", call_id],
    queryFn: ({ signal }) => get("/api/v1/live/{call_id}", { params: { call_id }, signal }),
  });

export const definitions = queryOptions({
  queryKey: ["definitions"],
  queryFn: ({ signal }) => get("/api/v1/analytics/definitions", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});
