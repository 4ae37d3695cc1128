import { Option } from "commander";
import type { Command } from "commander";
import { withStore } from "../app/store.ts";
import { accountProblem, addKey, addUser } from "../services/access.ts";
import { AppError } from "../errors.ts";
import type { Context } from "./context.ts";

const roleOption = () =>
  new Option("--role <role>", "what it may do").choices(["admin", "manager", "agent", "analyst"]).makeOptionMandatory();

interface AccountOptions {
  role: "admin" | "manager" | "agent" | "analyst";
  agentId?: string;
  team?: string;
}

/** `keys add|list|revoke` and `users add`. */
export function accountCommands(program: Command, context: Context): void {
  const keys = program.command("keys").description("API keys");
  keys
    .command("add")
    .description("make a key; it is printed once, alone on stdout")
    .addOption(roleOption())
    .option("--agent-id <id>", "the agent whose calls it sees (role agent)")
    .option("--team <team>", "the team whose calls it sees (role manager), or the agent's team (role agent)")
    .option("--name <name>", "a label", "unnamed")
    .action(async (options: AccountOptions & { name: string }) => {
      const input = checked(keys, options, options.name);
      const { key, account } = await withStore(context.config(), ({ accounts }) =>
        addKey({ accounts, now: Date.now }, input),
      );
      console.error(
        `Key ${account.account_id} for role ${account.role}. It is not stored and will not be shown again:`,
      );
      console.log(key);
    });
  keys
    .command("list")
    .description("keys without their secrets")
    .action(async () => {
      for (const k of await withStore(context.config(), ({ accounts }) => accounts.list("key"))) {
        const state = k.revoked_at === null ? "active" : `revoked ${new Date(k.revoked_at).toISOString()}`;
        console.log(
          [
            k.account_id,
            k.role,
            k.agent_id ?? "-",
            k.team ?? "-",
            new Date(k.created_at).toISOString(),
            state,
            k.name,
          ].join("\t"),
        );
      }
    });
  keys
    .command("revoke")
    .description("end a key, on open sockets too, within 5 seconds")
    .argument("<id>", "the id that `keys list` shows")
    .action(async (id: string) => {
      if (await withStore(context.config(), ({ accounts }) => accounts.revoke(id)))
        console.error(`Key ${id} is revoked.`);
      else {
        console.error(`There is no active key ${id}; \`keys list\` shows them.`);
        process.exitCode = 1;
      }
    });

  const users = program.command("users").description("people who sign in with a password");
  users
    .command("add")
    .description("make a user; the password is asked for, or read from stdin")
    .argument("<name>", "login name")
    .addOption(roleOption())
    .option("--agent-id <id>", "the agent whose calls they see (role agent)")
    .option("--team <team>", "the team whose calls they see (role manager), or the agent's team (role agent)")
    .option("--password-stdin", "read the password from stdin")
    .action(async (name: string, options: AccountOptions & { passwordStdin?: boolean }) => {
      const config = context.config();
      const input = checked(users, options, name);
      const password = await (options.passwordStdin ? readStdin() : askPassword());
      if (password.length < 8) throw new AppError("validation", "the password must have 8 characters or more");
      const added = await withStore(config, ({ accounts }) =>
        addUser({ accounts, now: Date.now }, { ...input, password }),
      );
      if (added === null) {
        console.error(`The name ${name} is taken.`);
        process.exitCode = 1;
      } else console.error(`User ${name} can sign in.`);
    });
}

/** The account's fields, or a usage error that says what is missing. */
function checked(command: Command, options: AccountOptions, name: string) {
  const input = { name, role: options.role, agent_id: options.agentId ?? null, team: options.team ?? null };
  const problem = accountProblem(input);
  if (problem !== null) command.error(`error: ${problem} (--agent-id, --team)`);
  return input;
}

async function readStdin(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) text += String(chunk);
  return text.replace(/\r?\n$/, "");
}

/** Reads a line from the terminal without echoing it. */
async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) return readStdin();
  process.stderr.write("Password: ");
  process.stdin.setRawMode(true);
  let password = "";
  try {
    for await (const chunk of process.stdin.setEncoding("utf8")) {
      for (const key of String(chunk)) {
        if (key === "\r" || key === "\n") return password;
        if (key === "\u0003") throw new Error("cancelled");
        password = key === "\u007f" ? password.slice(0, -1) : password + key;
      }
    }
    return password;
  } finally {
    process.stdin.setRawMode(false);
    process.stderr.write("\n");
  }
}
