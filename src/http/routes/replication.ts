/** What a replica reads of this server (docs/adr/0014). All of it is for admins: it holds every word and every hash. */
import { Readable } from "node:stream";
import { Type } from "typebox";
import { toWire } from "../../core/whole-call.ts";
import type { Part } from "../../ports/replication.ts";
import { readCalls, readChanges, readStanding } from "../../services/originals.ts";
import { ADMINS } from "../auth.ts";
import type { App, RouteContext } from "../deps.ts";
import { EventsQuery, NoQuery } from "../inputs.ts";
import { answer } from "../schema.ts";

const LINES = {
  200: {
    description: "One JSON object a line; end is the last one, and an answer without it was cut off",
    content: { "application/x-ndjson": { schema: { type: "string" } } },
  },
};
const SHAPE =
  "Lines: log {oldest, head, last, space_id}, event, call {row, digest, document or text, vectors}, live {row, turns}, " +
  "end {more}. Times are epoch milliseconds; vectors are base64 of float32 (call) and int8, little-endian.";

export function replicationRoutes(app: App, { store }: RouteContext): void {
  app.get(
    "/api/v1/replication/calls",
    {
      exposeHeadRoute: false,
      config: { access: ADMINS },
      schema: {
        tags: ["replication"],
        summary: "Whole calls, in the order they were accepted in",
        description: `Calls with a number above after, then, behind the last one, all that go on. ${SHAPE}`,
        querystring: EventsQuery,
        response: LINES,
      },
    },
    async (request, reply) => {
      return reply.headers(HEADERS).send(written(readCalls(store, request.query)));
    },
  );

  app.get(
    "/api/v1/replication/changes",
    {
      exposeHeadRoute: false,
      config: { access: ADMINS },
      schema: {
        tags: ["replication"],
        summary: "Events after a seq, and the calls they are about as they are now",
        description: `A call of an event that does not come is gone. log.last is the event of seq after. ${SHAPE}`,
        querystring: EventsQuery,
        response: LINES,
      },
    },
    async (request, reply) => {
      const { after: seq, limit } = request.query;
      return reply.headers(HEADERS).send(written(readChanges(store, { seq, limit })));
    },
  );

  app.get(
    "/api/v1/replication/standing",
    {
      config: { access: ADMINS },
      schema: {
        tags: ["replication"],
        summary: "Who gets in, and whose enrichment was given up",
        description: "Accounts with the hashes that prove their keys and passwords, teams of agents, dead letters.",
        querystring: NoQuery,
        response: { 200: answer("All of it", STANDING) },
      },
    },
    async (_request, reply) => reply.send(await readStanding(store)),
  );
}

const HEADERS = { "content-type": "application/x-ndjson; charset=utf-8", "cache-control": "no-store" } as const;

const OBJECTS = Type.Array(Type.Object({}, { additionalProperties: true }));
const STANDING = Type.Object({ accounts: OBJECTS, teams: OBJECTS, dead: OBJECTS }, { additionalProperties: false });

/** One part a line, made when the reader has taken the one before. */
function written(parts: AsyncGenerator<Part>): Readable {
  return Readable.from(toLines(parts), { objectMode: false, highWaterMark: 256 * 1024 });
}

async function* toLines(parts: AsyncGenerator<Part>): AsyncGenerator<string> {
  for await (const part of parts) yield `${JSON.stringify(toLine(part))}\n`;
}

function toLine(part: Part): object {
  switch (part.kind) {
    case "log":
      return { log: part.log };
    case "event":
      return { event: part.event };
    case "call":
      return { call: toWire(part.call) };
    case "live":
      return { live: part.live };
    case "end":
      return { end: { more: part.more } };
  }
}
