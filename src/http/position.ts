/**
 * Read your own writes, through whatever process and replica: the answer to a write says how far the store had come, and a
 * read that brings this along sees it.
 */
import type { Positions } from "../ports/positions.ts";
import type { App } from "./deps.ts";

const HEADER = "earshot-position";
const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export function usePositions(app: App, positions: Positions): void {
  app.addHook("onRequest", (request, _reply, done) => {
    const given = request.headers[HEADER];
    if (typeof given === "string") positions.during(given, done);
    else done();
  });
  app.addHook("onSend", (request, reply, payload, done) => {
    if (!READS.has(request.method) && reply.statusCode < 300) void reply.header(HEADER, positions.current());
    done(null, payload);
  });
}
