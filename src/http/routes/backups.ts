/** Backups of the server's own database, into its own folder for them. */
import { Type } from "typebox";
import { AppError } from "../../errors.ts";
import { ADMINS } from "../auth.ts";
import { SMALL_BODY_BYTES } from "../body.ts";
import type { App, RouteContext } from "../deps.ts";
import { presentJob } from "../present.ts";
import { answer, ref } from "../schema.ts";

export function backupRoutes(app: App, { backups }: RouteContext): void {
  app.post(
    "/api/v1/backups",
    {
      bodyLimit: SMALL_BODY_BYTES,
      config: { access: ADMINS },
      schema: {
        tags: ["jobs"],
        summary: "Back the database up while it is written to",
        description:
          "Into DATA_DIR/backups on the server's machine: a request cannot name another place. Every call acknowledged " +
          "before is in it. One at a time: a second request joins the first. The finished job's report says where it is " +
          "and holds its manifest. `earshot backup` does this and moves it to where you want it.",
        querystring: Type.Object({}, { additionalProperties: false }),
        response: { 202: answer("A job to follow", ref("Job")) },
      },
    },
    async (_request, reply) => {
      if (!backups) throw new AppError("not_found", "This server makes no backups");
      const { job } = await backups.start();
      return reply.code(202).header("location", `/api/v1/jobs/${job.job_id}`).send(presentJob(job));
    },
  );
}
