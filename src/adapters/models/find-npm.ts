import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** npm as [program, ...arguments], without a shell: the npm that runs us, else the one in PATH. */
export function findNpm(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const running = env["npm_execpath"];
  if (running && /npm-cli\.c?js$/.test(running) && existsSync(running)) return [process.execPath, running];
  if (process.platform !== "win32") return ["npm"];
  // npm.cmd cannot be started without a shell; the script it starts can.
  for (const dir of (env["PATH"] ?? "").split(delimiter)) {
    const script = join(dir, "node_modules", "npm", "bin", "npm-cli.js");
    if (existsSync(script)) return [process.execPath, script];
  }
  return ["npm"];
}
