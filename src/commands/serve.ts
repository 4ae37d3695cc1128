import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Role } from "../app.ts";
import type { Context } from "./context.ts";
import { AppError } from "../errors.ts";
import { demo } from "./demo.ts";
import { startWithProgress, untilSignal } from "./running.ts";

interface ServeOptions {
  role: Role;
  host?: string;
  port?: string;
  replicaOf?: string;
}

/** `serve` and `demo`. */
export function serveCommands(program: Command, context: Context): void {
  program
    .command("serve")
    .description("serve the API and enrich what comes in")
    .option("--role <role>", "api, worker or all", parseRole, "all")
    .option("--replica-of <url>", "be a read-only copy of the Earshot there (EARSHOT_REPLICA_OF)")
    .option("--host <address>", "address to listen on (EARSHOT_HOST)")
    .option("--port <number>", "port to listen on (EARSHOT_PORT)")
    .action(async (options: ServeOptions) => {
      const config = context.config(overrides(options));
      if (config.replica !== null && options.role === "worker")
        throw new AppError("validation", "A replica has no work: its primary enriches");
      const running = await startWithProgress(config, options.role);
      if (options.role !== "worker") console.log(`Earshot listens on ${running.url} (reference: ${running.url}/docs)`);
      else console.log("Earshot works on what waits");
      await untilSignal(running);
    });
  program
    .command("demo")
    .description("set up the model, load made-up sales calls, serve them")
    .option("--host <address>", "address to listen on (EARSHOT_HOST)")
    .option("--port <number>", "port to listen on (EARSHOT_PORT)")
    .action(async (options: ServeOptions) => {
      const config = context.config(overrides(options));
      await demo({
        ...config,
        // Its calls must not mix with real ones, and its guide must not drown in log lines.
        ...(!context.dataDirChosen && { storePath: config.storePath.replace(/earshot\.db$/, "demo.db") }),
        ...(config.logLevel === "info" && { logLevel: "warn" }),
      });
    });
}

function parseRole(value: string): Role {
  if (value === "api" || value === "worker" || value === "all") return value;
  throw new InvalidArgumentError("there are api, worker and all");
}

function overrides({ host, port, replicaOf }: ServeOptions): Record<string, string> {
  return {
    ...(host !== undefined && { EARSHOT_HOST: host }),
    ...(port !== undefined && { EARSHOT_PORT: port }),
    ...(replicaOf !== undefined && { EARSHOT_REPLICA_OF: replicaOf }),
  };
}
