/** Import: calls as a stream of NDJSON or CSV, stored while they come in; the body is never held. */
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { type ImportFormat, importStream } from "../../services/import.ts";
import { parseDefaults, parseMap, parseSpeakers } from "../../services/import-map.ts";
import { ADMINS } from "../auth.ts";
import type { App, RouteContext } from "../deps.ts";
import { presentJob } from "../present.ts";
import { answer, ref } from "../schema.ts";

const FORMATS: Readonly<Record<string, ImportFormat>> = {
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "text/csv": "csv",
};

const ImportQuery = Type.Object(
  {
    map: Type.Optional(
      Type.String({
        maxLength: 4_000,
        description: "field=column,…, for example call_id=B2,turn=Turn,text=Unit,speaker=B4,agent=0,customer=1",
      }),
    ),
    default: Type.Optional(Type.String({ maxLength: 4_000, description: "field=value,… for calls that lack them" })),
    speaker_map: Type.Optional(Type.String({ maxLength: 4_000, description: "label=agent,label=customer,…" })),
    job_id: Type.Optional(
      Type.String({ pattern: "^[\\w-]{8,64}$", description: "A name of your own, to follow the job while you send" }),
    ),
  },
  { additionalProperties: false },
);

export function importRoutes(app: App, context: RouteContext): void {
  // A scope of its own: these content types are for this route alone.
  void app.register((scope, _options, done) => {
    for (const type of Object.keys(FORMATS))
      scope.addContentTypeParser(type, (_request, body, parsed) => parsed(null, body));
    route(scope, context);
    done();
  });
}

function route(app: App, { store, now, draining }: RouteContext): void {
  app.post(
    "/api/v1/calls/import",
    {
      config: { access: ADMINS },
      schema: {
        tags: ["calls"],
        summary: "Import calls from NDJSON or CSV",
        description:
          "NDJSON: one CallInput a line. CSV: one row a call (columns named as the fields of a call, with transcript or " +
          "turns), or with `map` one row a turn. The body is stored while it comes in, in batches; the answer is the " +
          "finished job: counts and the first 100 errors by line. A bad line never stops the others, and the same " +
          "file again changes nothing. With a `job_id` of yours, GET /api/v1/jobs/{job_id} shows progress meanwhile.",
        body: {
          content: Object.fromEntries(Object.keys(FORMATS).map((type) => [type, { schema: Type.Unknown() }])),
        },
        querystring: ImportQuery,
        response: { 200: answer("The finished job", ref("Job")) },
      },
    },
    async (request, reply) => {
      const { map = "", default: defaults = "", speaker_map = "", job_id = randomUUID() } = request.query;
      const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
      const format = FORMATS[type];
      if (format === undefined || request.body === undefined) {
        throw new AppError("unsupported_media_type", `Send ${Object.keys(FORMATS).join(" or ")}`);
      }
      const mapping = parseMap(map);
      const source = request.body as Readable;
      if ((await store.jobs.get(job_id)) !== null)
        throw new AppError("conflict", "This job_id is taken by another job");
      try {
        const job = await importStream(
          { calls: store.calls, jobs: store.jobs, now },
          {
            source,
            format,
            map: { ...mapping, speakers: { ...mapping.speakers, ...parseSpeakers(speaker_map) } },
            defaults: parseDefaults(defaults),
            job_id,
            onPosition: () => {
              if (draining?.() === true) {
                throw new AppError("shutting_down", "What came so far is stored; send the same file again");
              }
            },
          },
        );
        return await reply.header("location", `/api/v1/jobs/${job.job_id}`).send(presentJob(job));
      } catch (error) {
        // What is left of the body is not worth reading.
        void reply.header("connection", "close");
        source.resume();
        if (error instanceof AppError || request.raw.complete) throw error;
        throw new AppError("malformed", "The upload ended early; what came before it is stored", { cause: error });
      }
    },
  );
}
