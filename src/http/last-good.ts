/** While the store cannot be read, a GET is answered with what it answered last, dated, and saying so. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { AppError } from "../errors.ts";
import type { Principal } from "../services/access.ts";
import type { Holds, LastGood, Place } from "../services/last-good.ts";
import type { App, HttpMetrics } from "./deps.ts";
import type { OnGood } from "./etag.ts";
import { matches } from "./etag.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Absent: without the store this route answers 503. */
    lastGood?: Holds;
  }
  interface FastifyRequest {
    /** What the answer holds and `LastGood.epoch()` when it was begun; null where it is not kept. */
    good: Pick<Place, "holds" | "epoch"> | null;
  }
}

export interface LastGoodHooks {
  readonly onGood: OnGood;
  /** True if the error was answered with the last good answer. */
  readonly standIn: (error: unknown, request: FastifyRequest, reply: FastifyReply) => boolean;
}

export interface LastGoodDeps {
  readonly lastGood: LastGood;
  /** Epoch ms. */
  readonly now: () => number;
  readonly metrics: Pick<HttpMetrics, "stoodIn" | "degraded">;
}

export function useLastGood(app: App, { lastGood, now, metrics }: LastGoodDeps): LastGoodHooks {
  /** Routes that were last answered without the store. */
  const away = new Set<string>();
  app.decorateRequest("good", null);
  app.addHook("onRoute", (route) => {
    const holds = route.config?.lastGood;
    if (holds === undefined || route.method !== "GET") return;
    // Of these routes alone, and what is known of them is found once: asked of a request it costs a microsecond.
    route.onRequest = (request, _reply, done) => {
      request.good = { holds, epoch: lastGood.epoch() };
      done();
    };
  });
  return {
    onGood(request, reply, tag, bytes) {
      const place = placeOf(request);
      if (place === null) return;
      if (bytes === null) {
        lastGood.confirm(place, tag);
        return;
      }
      const degraded = (reply.getHeader("earshot-degraded") as string | undefined) ?? null;
      // Figures that stand in themselves are no good answer.
      if (degraded?.includes("store") === true) return;
      // One that had to do without the index must not take the place of a whole one.
      const whole = degraded?.includes("index") !== true;
      if (whole) lastGood.keep(place, { bytes, tag, type: String(reply.getHeader("content-type")), degraded });
      if (away.size === 0 || !away.delete(routeOf(request)) || away.size > 0) return;
      metrics.degraded("store", false);
      request.log.info("the store can be read again");
    },

    standIn(error, request, reply) {
      if (!(error instanceof AppError) || error.code !== "store_unavailable") return false;
      const place = placeOf(request);
      const answer = place && lastGood.find(place);
      if (!place || !answer) return false;
      if (away.size === 0) request.log.warn({ error }, "the store cannot be read: last good answers stand in");
      away.add(routeOf(request));
      metrics.stoodIn(routeOf(request));
      metrics.degraded("store", true);
      const parts = answer.degraded === null ? "store" : `${answer.degraded}, store`;
      // No tag: the asker must not take the mark for part of the good answer.
      void reply.removeHeader("etag").header("cache-control", "no-store").header("earshot-degraded", parts);
      void reply.header("age", String(Math.max(0, Math.floor((now() - answer.at) / 1000))));
      if (matches(request.headers["if-none-match"], answer.tag)) {
        void reply.code(304).send();
        return true;
      }
      if (!answer.marked && place.holds !== "figures") {
        answer.bytes = withMark(answer.bytes, parts);
        answer.marked = true;
      }
      void reply.code(200).type(answer.type).send(answer.bytes);
      return true;
    },
  };
}

function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? "none";
}

function placeOf(request: FastifyRequest): Place | null {
  const { principal, good } = request;
  if (good === null || principal === null) return null;
  const { holds, epoch } = good;
  const name = holds === "call" ? (request.params as { call_id: string }).call_id : request.url;
  return { holds, name, sight: sightOf(principal), epoch };
}

function sightOf({ scope, personal }: Principal): string {
  const words = personal ? "p" : "n";
  if (scope.kind === "all") return words;
  return scope.kind === "team" ? `${words}team:${scope.team}` : `${words}agent:${scope.agent_id}`;
}

function withMark(bytes: Buffer, parts: string): Buffer {
  const body = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...body, degraded: parts.split(", ") }));
}
