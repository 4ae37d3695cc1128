import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Running } from "../app/start.ts";
import { ALL_PROCESS_ROLES, nameRoles, PROCESS_ROLES, readProcessRoles, SERVING_ROLES } from "../core/process-roles.ts";
import type { ProcessRoles } from "../core/process-roles.ts";
import type { Context } from "./context.ts";
import { AppError } from "../errors.ts";
import { demo } from "./demo.ts";
import { shutdownBound, startWithProgress, untilSignal } from "./running.ts";

interface ServeOptions {
  role: ProcessRoles;
  host?: string;
  port?: string;
  replicaOf?: string;
}

const ROLE_HELP = "api, worker, realtime, relay, several of them with commas, or all";

/** `serve` and `demo`. */
export function serveCommands(program: Command, context: Context): void {
  program
    .command("serve")
    .description("serve the API and enrich what comes in")
    .option("--role <roles>", ROLE_HELP, parseRoles, ALL_PROCESS_ROLES)
    .option("--replica-of <url>", "be a read-only copy of the Earshot there (EARSHOT_REPLICA_OF)")
    .option("--host <address>", "address to listen on (EARSHOT_HOST)")
    .option("--port <number>", "port to listen on (EARSHOT_PORT)")
    .action(async (options: ServeOptions) => {
      const config = context.config(overrides(options));
      if (config.replica !== null && options.role.isDisjointFrom(SERVING_ROLES))
        throw new AppError("validation", "A replica can be api and realtime: its primary does the rest");
      const running = await startWithProgress(config, options.role);
      console.log(greeting(running, options.role));
      await untilSignal(running, shutdownBound(config));
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

function parseRoles(value: string): ProcessRoles {
  const roles = readProcessRoles(value);
  if (roles === null) throw new InvalidArgumentError(`there are ${PROCESS_ROLES.join(", ")} and all`);
  return roles;
}

function greeting({ url, listens }: Running, roles: ProcessRoles): string {
  if (!listens) return roles.has("worker") ? "Earshot works on what waits" : "Earshot works as a relay";
  return `Earshot listens on ${url} (${roles.has("api") ? `reference: ${url}/docs` : nameRoles(roles)})`;
}

function overrides({ host, port, replicaOf }: ServeOptions): Record<string, string> {
  return {
    ...(host !== undefined && { EARSHOT_HOST: host }),
    ...(port !== undefined && { EARSHOT_PORT: port }),
    ...(replicaOf !== undefined && { EARSHOT_REPLICA_OF: replicaOf }),
  };
}
