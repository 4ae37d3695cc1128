/** The command line: the only reader of process.env and argv. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { Command, CommanderError } from "commander";
import { accountCommands } from "./commands/accounts.ts";
import { callCommands } from "./commands/calls.ts";
import { backupCommands } from "./commands/backup.ts";
import type { Context } from "./commands/context.ts";
import { doctorCommands } from "./commands/doctor.ts";
import { importCommands } from "./commands/import.ts";
import { lakeCommands } from "./commands/lake.ts";
import { kafkaCommands } from "./commands/kafka.ts";
import { modelCommands } from "./commands/models.ts";
import { moveCommands } from "./commands/move.ts";
import { serveCommands } from "./commands/serve.ts";
import { VERSION } from "./app/version.ts";
import { ConfigError, readConfig } from "./config.ts";
import { AppError } from "./errors.ts";

const context: Context = {
  config: (overrides = {}) => {
    const config = readConfig({ ...process.env, ...overrides });
    for (const warning of config.warnings) console.error(`earshot: ${warning}`);
    return config;
  },
  dataDirChosen: (process.env["EARSHOT_DATA_DIR"] ?? "") !== "",
};

const program = new Command("earshot")
  .description("Self-hosted analytics of sales calls")
  .version(VERSION)
  .showHelpAfterError("(run with --help for the options)")
  .exitOverride();
for (const add of [
  serveCommands,
  importCommands,
  modelCommands,
  accountCommands,
  callCommands,
  backupCommands,
  kafkaCommands,
  moveCommands,
  doctorCommands,
  lakeCommands,
])
  add(program, context);
// Subcommands inherit settings only when they are copied after being added.
const strict = (command: Command): void => {
  for (const sub of command.commands) {
    sub.copyInheritedSettings(command);
    strict(sub);
  }
};
strict(program);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version are not mistakes.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof ConfigError) {
    console.error(error.message);
    process.exitCode = 2;
  } else {
    console.error(error instanceof AppError ? `earshot: ${error.message}` : error);
    process.exitCode = error instanceof AppError && error.code === "validation" ? 2 : 1;
  }
}
