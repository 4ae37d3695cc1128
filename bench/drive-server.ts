/** One scenario of the driver (bench/drive) against one server. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { AGENTS } from "./seeded-calls.ts";
import type { Server } from "./servers.ts";

/** What the driver says about one pass; numbers unless named. */
export interface Pass extends Record<string, unknown> {
  readonly rps?: number;
  readonly failed?: string;
}

/** Of a server, what the driver needs; several processes have commas between their pids. */
export type Driven = Pick<Server, "name" | "url" | "key"> & { readonly pid: number | string };

/** `more`: options of drive.mjs. Rejects when the driver fails. */
export function drive(
  server: Driven,
  scenario: string,
  { calls, seconds }: { calls: number; seconds: number },
  more: readonly string[] = [],
): Promise<Pass> {
  const args = ["--base", server.url, "--map", join(import.meta.dirname, `drive/maps/${server.name}.mjs`)];
  args.push(
    "--calls",
    String(calls),
    "--agents",
    String(AGENTS),
    "--seconds",
    String(seconds),
    "--scenarios",
    scenario,
  );
  args.push("--pid", String(server.pid), ...(server.key ? ["--key", server.key] : []), ...more);
  const child = spawn(process.execPath, [join(import.meta.dirname, "drive/drive.mjs"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((done, fail) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (s: string) => (text += s));
    child.once("close", (code) => {
      const line = text.trim().split("\n").at(-1);
      if (code === 0 && line) done(JSON.parse(line) as Pass);
      else fail(new Error(`the driver of ${server.name} ended with ${code}`));
    });
  });
}
