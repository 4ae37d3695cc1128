/** A real PgBouncer in transaction mode in front of a server: connections are lent for a transaction, to whoever asks. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { answering, owner } from "./postgres-server.ts";

/** The address of `server` through it, and how to end it. */
export async function startPgBouncer(
  program: string,
  server: string,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "earshot-bouncer-"));
  chmodSync(folder, 0o755);
  const { hostname, port: behind, username } = new URL(server);
  const port = await freePort();
  const settings = [
    "[databases]",
    `* = host=${hostname} port=${behind} user=${username}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = any",
    "pool_mode = transaction",
    "default_pool_size = 4",
    "max_client_conn = 200",
    // A connection that was used by one is the next one's at once, and in no certain order.
    "server_round_robin = 1",
    "",
  ];
  writeFileSync(join(folder, "pgbouncer.ini"), settings.join("\n"));
  const child = spawn(program, ["-q", join(folder, "pgbouncer.ini")], { ...owner(), cwd: folder, stdio: "ignore" });
  const url = `postgres://${username}@127.0.0.1:${port}/`;
  await answering(`${url}postgres`);
  return {
    url,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
