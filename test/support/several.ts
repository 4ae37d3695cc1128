/** Several real processes on one SQLite file, behind nginx. */
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type Nginx, startNginx } from "./nginx.ts";
import { ADMIN_KEY, type Earshot, startEarshot, temporaryFolder } from "./process.ts";

export interface Several {
  /** Of nginx. */
  readonly url: string;
  /** The data folder of all of them. */
  readonly folder: string;
  /** The database file. */
  readonly path: string;
  readonly nginx: Nginx;
  /** The processes by number; one that was killed is the old one until it is started again. */
  readonly processes: readonly Earshot[];
  kill(number: number): Promise<void>;
  start(number: number): Promise<void>;
  /** Ends it as an operator does and starts it again. @throws unless it ended well */
  restart(number: number): Promise<void>;
  close(): Promise<void>;
}

export async function startSeveral(options: {
  readonly count: number;
  readonly nginx: string;
  readonly env?: Record<string, string>;
  /** What each process is started with, in their order; all roles where there is nothing. */
  readonly roles?: readonly string[];
}): Promise<Several> {
  const { path, cleanup } = await temporaryFolder();
  const ports: number[] = [];
  for (let i = 0; i < options.count; i++) ports.push(await freePort());
  const roleOf = (number: number): string => options.roles?.[number] ?? "all";
  const start = (number: number): Promise<Earshot> =>
    startEarshot(
      {
        EARSHOT_DATA_DIR: path,
        EARSHOT_MODEL_DIR: "statistical:",
        EARSHOT_LOG_LEVEL: "error",
        EARSHOT_RATE_LIMIT: "0",
        EARSHOT_TRUST_PROXY: "127.0.0.1",
        EARSHOT_PORT: String(ports[number]),
        ...options.env,
      },
      ["serve", "--role", roleOf(number)],
    );
  // One of them makes the database.
  const processes = await Promise.all(ports.keys().map(start));
  const having = (role: string): number[] =>
    ports.filter((_, number) => /all/.test(roleOf(number)) || roleOf(number).split(",").includes(role));
  const nginx = await startNginx(options.nginx, having("api"), { realtime: having("realtime") });
  return {
    url: nginx.url,
    folder: path,
    path: join(path, "earshot.db"),
    nginx,
    processes,
    async kill(number) {
      await processes[number]?.stop("SIGKILL");
    },
    async start(number) {
      processes[number] = await start(number);
    },
    async restart(number) {
      const old = processes[number];
      const ended = await old?.stop("SIGTERM");
      processes[number] = await start(number);
      if (ended?.[0] !== 0) throw new Error(`process ${number} ended with ${ended?.[0]}:\n${old?.stderr()}`);
    },
    async close() {
      await nginx.close();
      await Promise.all(processes.map((process) => process.stop()));
      await cleanup();
    },
  };
}

export const AUTHORIZED = { authorization: `Bearer ${ADMIN_KEY}` } as const;
