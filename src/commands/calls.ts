import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { AppError } from "../errors.ts";
import { openapiDocument } from "../app/start.ts";
import { migrateStore, promoteStore, storeInUse, withStore } from "../app/store.ts";
import { VERSION } from "../app/version.ts";
import { EVERYTHING } from "../core/call.ts";
import { cutOff, expireCalls } from "../services/retention.ts";
import { bar, type Context, progressLine } from "./context.ts";

function parseDays(value: string): number {
  const days = Number(value);
  if (value.trim() !== "" && Number.isInteger(days) && days >= 0 && days <= 36_500) return days;
  throw new InvalidArgumentError("days must be a whole number from 0 to 36500");
}

/** `dead list|redrive`, `erase`, `purge`, `migrate` and `openapi`. */
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
    .command("purge")
    .description("erase calls received longer ago than this, as the nightly retention does")
    .requiredOption("--older-than <days>", "days since the call was received", parseDays)
    .option("--dry-run", "only say how many there are")
    .action(async ({ olderThan: days, dryRun }: { olderThan: number; dryRun?: boolean }) => {
      const config = context.config();
      // Beside a server it goes as slowly as in the night.
      const hurry = config.postgres === null && existsSync(config.storePath) && !storeInUse(config.storePath);
      await withStore(config, async (store) => {
        if (dryRun === true) {
          const n = await store.calls.receivedBefore(cutOff(Date.now(), days));
          console.error(`${n} ${n === 1 ? "call was" : "calls were"} received more than ${days} days ago.`);
          return;
        }
        const line = progressLine();
        const job = await expireCalls(
          { ...store, now: Date.now },
          { days, hurry, onProgress: (done, total) => line.show(`erasing ${bar(done / Math.max(1, total))}`) },
        );
        const n = job?.counts["done"] ?? 0;
        line.end(`${n} ${n === 1 ? "call" : "calls"} received more than ${days} days ago erased.`);
      });
    });
  program
    .command("migrate")
    .description("bring the database to this version's schema (serve does it too)")
    .action(async () => {
      await migrateStore(context.config());
      console.error("The database is up to date.");
    });
  program
    .command("promote")
    .description("make a replica's database a store of its own, when its primary is gone for good")
    .action(async () => {
      const config = context.config();
      if (config.postgres === null && existsSync(config.storePath) && storeInUse(config.storePath))
        throw new AppError("validation", "The replica runs: stop it first");
      const promoted = await promoteStore(config);
      console.error(promoted ? "It is a store of its own now." : "It is a store of its own already.");
    });
  program
    .command("openapi")
    .description("print the OpenAPI document")
    .action(async () => {
      console.log(JSON.stringify(await openapiDocument(VERSION), null, 2));
    });
}
