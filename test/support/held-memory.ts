/** What a server holds once its garbage is collected: memory in use shows what was needed once. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** node flags of a server that can be asked; `TELL_MEMORY` of its environment names the file. */
export const TELLING: readonly string[] = ["--expose-gc", "--import", join(import.meta.dirname, "tell-memory.ts")];

/** Bytes that V8 knows of, buffers included. */
export async function heldBytes(pid: number, file: string): Promise<number> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  while (!existsSync(file) || readFileSync(file, "utf8") === "") await pause(20);
  return Number(readFileSync(file, "utf8"));
}
