import type { Command } from "commander";
import { migrateStore, openapiDocument, VERSION, withStore } from "../app.ts";
import { EVERYTHING } from "../core/call.ts";
import type { Context } from "./context.ts";

/** `dead list|redrive`, `erase`, `migrate` and `openapi`. */
export function callCommands(program: Command, context: Context): void {
  const dead = program.command("dead").description("calls whose enrichment was given up");
  dead
    .command("list")
    .description("what failed and why, one line each")
    .action(async () => {
      for (const d of await withStore(context.config(), ({ work }) => work.dead(1_000, EVERYTHING))) {
        console.log([d.call_id, `attempts ${d.attempts}`, new Date(d.at).toISOString(), d.error].join("\t"));
      }
    });
  dead
    .command("redrive")
    .description("try again, one call or all of them")
    .argument("[call_id]", "only this call")
    .action(async (call_id: string | undefined) => {
      const n = await withStore(context.config(), ({ work }) => work.redrive(call_id ?? null, EVERYTHING));
      console.error(`${n} dead ${n === 1 ? "letter goes" : "letters go"} back to work.`);
      if (call_id !== undefined && n === 0) process.exitCode = 1;
    });
  program
    .command("erase")
    .description("erase every call of a customer: text, vectors, full text, events and log pages")
    .argument("<customer_id>")
    .action(async (customer_id: string) => {
      const n = await withStore(context.config(), ({ calls }) => calls.erase(customer_id));
      console.error(`${n} ${n === 1 ? "call" : "calls"} of customer ${customer_id} erased.`);
    });
  program
    .command("migrate")
    .description("bring the database to this version's schema (serve does it too)")
    .action(async () => {
      await migrateStore(context.config());
      console.error("The database is up to date.");
    });
  program
    .command("openapi")
    .description("print the OpenAPI document")
    .action(async () => {
      console.log(JSON.stringify(await openapiDocument(VERSION), null, 2));
    });
}
