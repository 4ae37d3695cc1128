/** A real Redis of a test's own, on a free port, with nothing on disk. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { temporaryFolder } from "./process.ts";
import { freePort } from "./free-port.ts";

export interface RedisServer {
  readonly url: string;
  /** Of the process that runs now. */
  pid(): number;
  /** Ends it at once; what it held is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>;
  /** Stops it as SIGSTOP does: it keeps its connections and says nothing; `resume` lets it go on. */
  freeze(): void;
  resume(): void;
  /** Ends it and removes what it left. */
  close(): Promise<void>;
}

/** @param program path of redis-server, as `requirement("redis")` found it; `more`: other options, by name */
export async function startRedis(program: string, more: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const { path, cleanup } = await temporaryFolder();
  const port = Number(more["port"] ?? (await freePort()));
  const options: Readonly<Record<string, string | number>> = {
    port,
    bind: "127.0.0.1",
    dir: path,
    save: "",
    appendonly: "no",
    ...more,
  };
  let child: ChildProcess | null = null;

  const start = async (): Promise<void> => {
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const started = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      started.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("Ready to accept connections")) resolve();
      });
      started.once("exit", (code) => reject(new Error(`redis-server ended with ${code}:\n${said}`)));
    });
  };
  const kill = async (): Promise<void> => {
    if (child === null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    child = null;
    await ended;
  };

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: () => child?.pid as number,
    start,
    kill,
    freeze: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    async close() {
      await kill();
      await cleanup();
    },
  };
}

/** Kills and starts it, or lets it say nothing for a while, so many times; `next`: 0 <= value < 1, seeded. */
export async function flap(
  server: Pick<RedisServer, "freeze" | "resume" | "kill" | "start">,
  rounds: number,
  next: () => number,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await pause(50 + next() * 400);
    if (next() < 0.3) {
      server.freeze();
      await pause(next() * 1_500);
      server.resume();
      continue;
    }
    await server.kill();
    await pause(next() * 400);
    await server.start();
  }
}
