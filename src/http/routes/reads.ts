import { AppError, invalid } from "../../errors.ts";
import type { CallRow } from "../../core/call.ts";
import type { Principal } from "../../services/access.ts";
import { readFilter, readSort } from "../../services/filter.ts";
import type { FilterInput } from "../../services/filter.ts";
import { getCall, getRow, listCalls } from "../../services/query.ts";
import { recommend } from "../../services/recommend.ts";
import { search } from "../../services/search.ts";
import { createTeamRanges } from "../../services/team-ranges.ts";
import { createAnswerBuffers } from "../answer-buffers.ts";
import { EVERYBODY, LISTENERS, who } from "../auth.ts";
import { degradedParts, markDegraded } from "../degraded.ts";
import type { App, RouteContext } from "../deps.ts";
import { matches } from "../etag.ts";
import { callBytes } from "../call-bytes.ts";
import { presentCall, presentFound, presentRow } from "../present.ts";
import { CallParams, ListQuery, NoQuery, RecommendationsQuery, SearchQuery } from "../inputs.ts";
import { ROW_FIELDS } from "../schema-calls.ts";
import { answer, ref } from "../schema.ts";

/** Not part of a row: asking for one reads the whole call. */
const WORDY_FIELDS = ["transcript", "turns", "insights"] as const;

const JSON_TYPE = "application/json; charset=utf-8";

/** Changes with everything that the answer shows. */
function callTag(row: CallRow, { personal }: Principal, parts: readonly string[]): string {
  const shown = `${row.call_no}.${row.revision}.${row.updated_at}.${row.state}.${row.enriched_at ?? 0}`;
  return `W/"${shown}.${personal ? "p" : "n"}${lacks(row, parts).join("")}"`;
}

export function readRoutes(app: App, { store, models, vectors, log, now }: RouteContext): void {
  const buffers = createAnswerBuffers();
  const teamRanges = createTeamRanges({
    reads: store.reads,
    now,
    onError: (error) => log.error({ error }, "the team's ranges were not computed; the published defaults stand"),
  });
  app.get(
    "/api/v1/calls",
    {
      config: { access: EVERYBODY, lastGood: "calls" },
      schema: {
        tags: ["calls"],
        summary: "List calls, newest first",
        querystring: ListQuery,
        response: { 200: answer("One page", ref("CallList")) },
      },
    },
    async (request, reply) => {
      const { limit, offset, cursor, sort, fields, view, ...filters } = request.query;
      const { scope, personal } = who(request);
      const wanted = fields === undefined ? null : readFields(fields);
      const list = await listCalls(store, {
        scope,
        filter: readFilter(ownFilters(filters, personal)),
        sort: readSort(sort),
        limit,
        offset,
        cursor: cursor ?? null,
        full: view === "full" || (wanted !== null && WORDY_FIELDS.some((name) => wanted.has(name))),
      });
      const calls =
        list.calls?.map((c) => presentCall(c, personal)) ?? list.rows.map((row) => presentRow(row, personal));
      return reply.send({
        calls: wanted === null ? calls : calls.map((call) => pick(call, wanted)),
        total: list.total,
        total_relation: list.total_relation,
        limit,
        offset,
        next_cursor: list.next_cursor,
        ...(list.partial && { partial: true }),
        ...markDegraded(reply, degradedParts(models)),
      });
    },
  );

  app.get(
    "/api/v1/calls/:call_id",
    {
      config: { access: EVERYBODY, lastGood: "call" },
      schema: {
        tags: ["calls"],
        summary: "One call with its transcript and insights",
        params: CallParams,
        querystring: NoQuery,
        response: { 200: answer("The call", ref("Call")), 304: { description: "Not changed", type: "null" } },
      },
    },
    async (request, reply) => {
      const principal = who(request);
      const input = { call_id: request.params.call_id, scope: principal.scope };
      const parts = degradedParts(models);
      const seen = request.headers["if-none-match"];
      if (seen !== undefined) {
        const row = await getRow(store, input);
        if (row !== null && matches(seen, callTag(row, principal, parts))) {
          return reply
            .code(304)
            .header("etag", callTag(row, principal, parts))
            .send(null);
        }
      }
      const call = await getCall(store, input);
      void reply.header("etag", callTag(call.row, principal, parts));
      const marks = markDegraded(reply, lacks(call.row, parts));
      const bytes = callBytes(call, principal.personal, marks, (size) => buffers.lend(reply, size));
      return reply.type(JSON_TYPE).send(bytes);
    },
  );

  app.get(
    "/api/v1/calls/:call_id/recommendations",
    {
      config: { access: EVERYBODY, lastGood: "calls" },
      schema: {
        tags: ["calls"],
        summary: "Similar calls and three coaching nudges",
        description: "All filters of the list apply to the similar calls; the nudges are about the call itself.",
        params: CallParams,
        querystring: RecommendationsQuery,
        response: { 200: answer("Recommendations", ref("Recommendations")) },
      },
    },
    async (request, reply) => {
      const { scope, personal } = who(request);
      const answer = await recommend(
        { reads: store.reads, vectors, models, teamRanges },
        { call_id: request.params.call_id, scope, filter: readFilter(ownFilters(request.query, personal)) },
      );
      const away = answer.lacks === null ? [] : [answer.lacks];
      const parts = markDegraded(reply, [...lacks(answer.row, degradedParts(models)), ...away]);
      return reply.send({
        similar_calls: answer.similar_calls,
        ...(answer.similar_calls_reason !== null && { similar_calls_reason: answer.similar_calls_reason }),
        coaching_nudges: answer.nudges.map((n) => n.text),
        nudges: answer.nudges,
        ...(answer.nudges_reason !== null && { nudges_reason: answer.nudges_reason }),
        ...parts,
      });
    },
  );

  app.get(
    "/api/v1/search",
    {
      config: { access: LISTENERS, lastGood: "calls" },
      schema: {
        tags: ["search"],
        summary: "Find turns by words, by meaning, or both",
        description:
          "All filters of the list apply. Without a model or an index every mode falls back to keyword, and says so.",
        querystring: SearchQuery,
        response: { 200: answer("Best first", ref("SearchResults")) },
      },
    },
    async (request, reply) => {
      const { q, mode, limit, ...filters } = request.query;
      const { scope } = who(request);
      if (q.includes("\0") || q.trim() === "")
        throw invalid([{ pointer: "?q", message: "has no words", expected: "words", received: "blanks" }]);
      const filter = readFilter(filters);
      const found = await search(
        { reads: store.reads, vectors, models },
        { scope, q: q.toWellFormed(), mode, filter, limit },
      );
      return reply.send({
        query: q.toWellFormed(),
        mode: found.mode,
        results: found.results.map(presentFound),
        ...markDegraded(reply, found.lacks === null ? [] : [found.lacks]),
      });
    },
  );
}

/** Looking for a customer is asking about a person. */
function ownFilters(filters: FilterInput, personal: boolean): FilterInput {
  if (!personal && "customer_id" in filters) {
    throw new AppError("forbidden", "The role analyst may not ask for one customer");
  }
  return filters;
}

/** What was made by the model is whole, whether or not the model runs now. */
function lacks(row: CallRow, parts: readonly string[]): readonly string[] {
  if (row.method === "model") return [];
  return row.method === "statistical" ? ["models"] : parts;
}

function readFields(text: string): Set<string> {
  const names = text.split(",").map((n) => n.trim());
  const known = new Set<string>([...ROW_FIELDS, ...WORDY_FIELDS]);
  const unknown = names.filter((n) => !known.has(n));
  if (unknown.length === 0) return new Set(names);
  throw invalid([
    {
      pointer: "?fields",
      message: "names fields that are not there",
      expected: `some of ${[...known].join(", ")}`,
      received: unknown.join(", ").slice(0, 100).toWellFormed(),
    },
  ]);
}

function pick(call: Record<string, unknown>, wanted: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(call).filter(([name]) => wanted.has(name)));
}
