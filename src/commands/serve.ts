import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Running } from "../app.ts";
import { ALL_PROCESS_ROLES, nameRoles, PROCESS_ROLES, readProcessRoles } from "../core/process-roles.ts";
import type { ProcessRoles } from "../core/process-roles.ts";
import type { Context } from "./context.ts";
import { demo } from "./demo.ts";
import { shutdownBound, startWithProgress, untilSignal } from "./running.ts";

interface ServeOptions {
  role: ProcessRoles;
  host?: string;
  port?: string;
}

const ROLE_HELP = "api, worker, realtime, relay, several of them with commas, or all";

/** `serve` and `demo`. */
export function serveCommands(program: Command, context: Context): void {
  program
    .command("serve")
    .description("serve the API and enrich what comes in")
    .option("--role <roles>", ROLE_HELP, parseRoles, ALL_PROCESS_ROLES)
    .option("--host <address>", "address to listen on (EARSHOT_HOST)")
    .option("--port <number>", "port to listen on (EARSHOT_PORT)")
    .action(async (options: ServeOptions) => {
      const config = context.config(overrides(options));
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

function overrides({ host, port }: ServeOptions): Record<string, string> {
  return { ...(host !== undefined && { EARSHOT_HOST: host }), ...(port !== undefined && { EARSHOT_PORT: port }) };
}
