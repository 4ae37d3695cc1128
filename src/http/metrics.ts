import type { Metrics } from "../observe/metrics.ts";
import { PUBLIC } from "./auth.ts";
import type { App } from "./deps.ts";

/** Times every request and serves `/metrics` to those who may read figures (to anyone where `isPublic`). */
export function metricsHook({ metrics, isPublic }: { metrics: Metrics; isPublic: boolean }): (app: App) => void {
  return (app) => {
    app.addHook("onResponse", (request, reply, done) => {
      metrics.request(request.routeOptions.url ?? "none", request.method, reply.statusCode, reply.elapsedTime / 1000);
      done();
    });
    app.get(
      "/metrics",
      { config: { access: isPublic ? PUBLIC : ["admin", "analyst"] }, schema: { hide: true } },
      async (_request, reply) => reply.type("text/plain; version=0.0.4; charset=utf-8").send(await metrics.scrape()),
    );
  };
}
