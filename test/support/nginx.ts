/** A real nginx of a test's own with the configuration that users get, its ports replaced. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { temporaryFolder } from "./process.ts";

const CONFIGURATION = join(import.meta.dirname, "../../deploy/nginx/earshot.conf");
const SERVER = /^ *server 127\.0\.0\.1:\d+( .*;)\n/gm;
const PROCESSES = 5;

/** What surrounds it on a user's system. */
function around(folder: string, included: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (of) => `${of}_temp_path ${folder}/${of};`,
  );
  return `
    ${process.getuid?.() === 0 ? "user root;" : ""}
    daemon off;
    pid ${folder}/nginx.pid;
    error_log stderr notice;
    worker_processes 2;
    worker_rlimit_nofile 16384;
    events { worker_connections 8192; }
    http {
      access_log off;
      ${temporary.join("\n")}
      include ${included};
    }`;
}

export interface Nginx {
  readonly url: string;
  /** Of its master; the workers are its children. */
  readonly pid: number;
  /** Lines of its error log. */
  readonly log: () => string;
  close(): Promise<void>;
}

/**
 * @param program path of nginx, as `requirement("nginx")` found it
 * @param ports of the processes that serve the API
 * @param more realtime: ports of those that serve sockets, where they are others; cache: with the lines for one
 */
export async function startNginx(
  program: string,
  ports: readonly number[],
  { realtime = ports, cache = false }: { realtime?: readonly number[]; cache?: boolean } = {},
): Promise<Nginx> {
  const { path, cleanup } = await temporaryFolder();
  const port = await freePort();
  const given = await readFile(CONFIGURATION, "utf8");
  const servers = [...given.matchAll(SERVER)];
  if (servers.length !== PROCESSES || !given.includes("listen 80;")) throw new Error("earshot.conf looks different");
  const [first] = servers;
  const named = (of: readonly number[]): string =>
    of.map((port) => `    server 127.0.0.1:${port}${first?.[1] ?? ""}\n`).join("");
  const configuration = given
    .replaceAll(cache ? "#cache# " : /^ *#cache# .*\n/gm, "")
    .replace("/var/cache/nginx/earshot", join(path, "cache"))
    .replace(SERVER, "")
    .replace("    zone earshot 128k;\n", (zone) => zone + named(ports))
    .replace("    zone earshot_realtime 128k;\n", (zone) => zone + named(realtime))
    .replace("listen 80;", `listen 127.0.0.1:${port};`);
  const included = join(path, "earshot.conf");
  const main = join(path, "nginx.conf");
  await writeFile(included, configuration);
  await writeFile(main, around(path, included));

  return run({ program, folder: path, main, port, cleanup });
}

/** A configuration of its own, whole, that keeps its files in `folder`. */
export async function runNginx(input: {
  readonly program: string;
  readonly folder: string;
  readonly text: string;
  readonly port: number;
}): Promise<Nginx> {
  const main = join(input.folder, "nginx.conf");
  await writeFile(main, `daemon off;\n${process.getuid?.() === 0 ? "user root;\n" : ""}${input.text}`);
  return run({ ...input, main, cleanup: async () => {} });
}

async function run(input: {
  readonly program: string;
  readonly folder: string;
  readonly main: string;
  readonly port: number;
  readonly cleanup: () => Promise<void>;
}): Promise<Nginx> {
  const { program, folder, main, port, cleanup } = input;
  const child = spawn(program, ["-p", folder, "-c", main, "-e", "stderr"], { stdio: ["ignore", "inherit", "pipe"] });
  const ended = once(child, "exit");
  let log = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes("start worker process ")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`nginx ended with ${code}:\n${log}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid as number,
    log: () => log,
    async close() {
      child.kill("SIGTERM");
      await ended;
      await cleanup();
    },
  };
}
