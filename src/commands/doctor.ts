import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { redisStates } from "../app/between.ts";
import { checkModelFolder, modelFolder } from "../app/models.ts";
import { databaseState, sqliteVersion, storeName } from "../app/store.ts";
import { VERSION } from "../app/version.ts";
import { type Config, ConfigError } from "../config.ts";
import {
  examineClock,
  examineDisk,
  examineIndex,
  examineModel,
  examinePermissions,
  examinePort,
  examineRedis,
  examineSettings,
  examineStore,
  examineVersions,
  type Finding,
} from "../services/doctor.ts";
import type { Context } from "./context.ts";
import { findServer, readinessAt } from "./server-file.ts";

/** `doctor`. Exit code 1 where something fails; warnings alone are 0. */
export function doctorCommands(program: Command, context: Context): void {
  program
    .command("doctor")
    .description("look for what is wrong here, and say what to do about it; changes nothing")
    .option("--json", "findings as JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine(context);
      if (json === true) console.log(JSON.stringify(findings, null, 2));
      else for (const finding of findings) console.log(lineOf(finding));
      if (findings.some((f) => f.state === "fail")) process.exitCode = 1;
    });
}

async function examine(context: Context): Promise<Finding[]> {
  const versions = examineVersions({ earshot: VERSION, node: process.version, sqlite: sqliteVersion() });
  let config: Config;
  try {
    config = context.config();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Without settings nobody knows where to look.
    return [versions, ...examineSettings({ problems: error.problems, warnings: [] })];
  }
  const { dataDir, storePath, timezone, host, port, postgres } = config;
  const now = Date.now();
  const state = await databaseState(config);
  const folder = modelFolder(config);
  const model = folder === null ? null : { ...(await checkModelFolder(config)), there: existsSync(folder) };
  const server = await findServer(config);
  return [
    versions,
    ...examineSettings({ problems: [], warnings: config.warnings }),
    ...(await examineDisk({
      folder: postgres ? dataDir : dirname(storePath),
      database_bytes: postgres ? 0 : (state?.bytes ?? 0),
    })),
    ...examinePermissions({ dataDir, storePath }),
    ...examineStore(state, { path: storeName(config), timezone, now, onServer: postgres !== null }),
    ...(await redisStates(config)).map(({ state: redis, ...input }) => examineRedis(redis, input)),
    examineClock(now, state?.last_event_at ?? null),
    examineModel(model),
    await examinePort({ host, port, server }),
    ...examineIndex(server === null ? null : await readinessAt(server)),
  ];
}

function lineOf({ check, state, says, todo }: Finding): string {
  return `${state.padEnd(4)}  ${check.padEnd(12)}  ${says}${todo === null ? "" : `\n${" ".repeat(20)}${todo}`}`;
}
