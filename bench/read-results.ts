import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Results, Run } from "./page-figures.ts";

/** bench/results/NAME.json by name. */
export function readResults(): Results {
  const folder = join(import.meta.dirname, "results");
  if (!existsSync(folder)) return {};
  const names = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return Object.fromEntries(
    names.toSorted().map((file) => [file.slice(0, -5), JSON.parse(readFileSync(join(folder, file), "utf8")) as Run[]]),
  );
}
