import { Type } from "typebox";
import { ALERT_DEFINITIONS, DEFINITIONS, LIVE_DEFINITIONS } from "../../core/definitions.ts";
import { LIVE_RULES } from "../../core/live-alerts.ts";
import { FORMULAS, MEASURE_NAMES } from "../../core/measures.ts";
import { AppError } from "../../errors.ts";
import type { Recalculation } from "../../services/analytics.ts";
import { ADMINS, CURATORS, EVERYBODY, who } from "../auth.ts";
import { SMALL_BODY_BYTES } from "../body.ts";
import { degradedParts, markDegraded } from "../degraded.ts";
import type { App, RouteContext } from "../deps.ts";
import { presentAgent, presentDeadLetter, presentEvent, presentJob } from "../present.ts";
import { writeOnce } from "../idempotency.ts";
import { EventsQuery, JobParams, LimitQuery, NoQuery, RedriveBody } from "../inputs.ts";
import { answer, ref } from "../schema.ts";
import { readEvents } from "../../services/feed.ts";

export function analyticsRoutes(app: App, context: RouteContext, recalculation: Recalculation): void {
  const { store, once, models, figures, config, vitals } = context;
  app.get(
    "/api/v1/analytics/agents",
    {
      config: { access: EVERYBODY, lastGood: "figures", shared: true },
      schema: {
        tags: ["analytics"],
        summary: "Averages per agent, best sentiment first",
        description: "Means are over enriched calls, total_calls counts all accepted ones.",
        querystring: NoQuery,
        response: { 200: answer("One row an agent", Type.Array(ref("AgentFigures"))) },
      },
    },
    async (request, reply) => {
      const agents = await figures.agents({ scope: who(request).scope, rankMinimum: config.rankMinimum ?? 5 });
      if (agents.stale) void reply.header("age", String(Math.floor(agents.age_ms / 1000)));
      const alone = (vitals?.cache() ?? true) ? [] : ["cache"];
      markDegraded(reply, [...degradedParts(models), ...(agents.stale ? ["store"] : []), ...alone]);
      return reply.send(agents.value.map(presentAgent));
    },
  );

  app.get(
    "/api/v1/analytics/definitions",
    {
      config: { access: EVERYBODY, shared: true },
      schema: {
        tags: ["analytics"],
        summary: "What every measure means",
        querystring: NoQuery,
        response: { 200: answer("All measures of a call, and its live alerts", ref("Definitions")) },
      },
    },
    async (_request, reply) =>
      reply.send({
        version: FORMULAS.version,
        measures: MEASURE_NAMES.map((name) => Object.assign({ name }, DEFINITIONS[name])),
        live: Object.entries(LIVE_DEFINITIONS).map(([name, d]) => Object.assign({ name }, d)),
        alerts: LIVE_RULES.map((rule_id) => ({ rule_id, definition: ALERT_DEFINITIONS[rule_id] })),
      }),
  );

  app.post(
    "/api/v1/analytics/recalculate",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: ADMINS, idempotent: true },
      schema: {
        tags: ["analytics"],
        summary: "Rebuild all figures from the calls",
        description:
          "Beside the served ones, which are swapped day by day. One at a time: a second request joins the first.",
        response: { 202: answer("A job to follow", ref("Job")) },
      },
    },
    async (request, reply) => {
      const { job } = await writeOnce(once, request, reply, ({ jobs }) => recalculation.start(jobs));
      return reply.code(202).header("location", `/api/v1/jobs/${job.job_id}`).send(presentJob(job));
    },
  );

  app.get(
    "/api/v1/jobs",
    {
      config: { access: ADMINS },
      schema: {
        tags: ["jobs"],
        summary: "The jobs that began last",
        description: "Imports, recalculations (nightly ones too), backups and retention, newest first.",
        querystring: LimitQuery,
        response: { 200: answer("Newest first", ref("Jobs")) },
      },
    },
    async (request, reply) => reply.send({ jobs: (await store.jobs.recent(request.query.limit)).map(presentJob) }),
  );

  app.get(
    "/api/v1/jobs/:job_id",
    {
      config: { access: ADMINS },
      schema: {
        tags: ["jobs"],
        summary: "How far a job is",
        params: JobParams,
        querystring: NoQuery,
        response: { 200: answer("The job", ref("Job")) },
      },
    },
    async (request, reply) => {
      const { job_id } = request.params;
      const job = /^[\w-]{1,100}$/.test(job_id) ? await store.jobs.get(job_id) : null;
      if (job === null) throw new AppError("not_found", "There is no such job");
      return reply.send(presentJob(job));
    },
  );

  app.get(
    "/api/v1/events",
    {
      config: { access: EVERYBODY },
      schema: {
        tags: ["events"],
        summary: "The change feed",
        description:
          "What happened to calls after a seq, deletions included: ids and small facts, kept for seven days.",
        querystring: EventsQuery,
        response: { 200: answer("In order", ref("EventPage")) },
      },
    },
    async (request, reply) => {
      const page = await readEvents(store, { ...request.query, scope: who(request).scope });
      return reply.send({ ...page, events: page.events.map(presentEvent) });
    },
  );

  app.get(
    "/api/v1/dead-letters",
    {
      config: { access: CURATORS },
      schema: {
        tags: ["jobs"],
        summary: "Calls whose enrichment was given up",
        querystring: LimitQuery,
        response: { 200: answer("Dead letters", ref("DeadLetters")) },
      },
    },
    async (request, reply) => {
      const letters = await store.work.dead(request.query.limit, who(request).scope);
      return reply.send({ dead_letters: letters.map(presentDeadLetter) });
    },
  );

  app.post(
    "/api/v1/dead-letters/redrive",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: CURATORS, idempotent: true },
      schema: {
        tags: ["jobs"],
        summary: "Try dead letters again",
        description: "All of them, or one call's; a manager's are those of the team. Attempts are counted anew.",
        body: RedriveBody,
        response: {
          202: answer(
            "How many were queued",
            Type.Object({ redriven: Type.Integer({ minimum: 0 }) }, { additionalProperties: false }),
          ),
        },
      },
    },
    async (request, reply) => {
      const { call_id = null } = request.body as { call_id?: string | null };
      const { scope } = who(request);
      const redriven = await writeOnce(once, request, reply, ({ work }) => work.redrive(call_id, scope));
      return reply.code(202).send({ redriven });
    },
  );
}
