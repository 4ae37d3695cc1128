/** Development data that is not part of the repository: conversations, ratings, sentence pairs. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * The folder of one data set ("banking77", "persuasion-for-good", …) under EARSHOT_DATA_SETS, or null where it is
 * absent: the test then skips and says so.
 */
export function dataSet(name: string): string | null {
  const root = process.env["EARSHOT_DATA_SETS"] ?? resolve(import.meta.dirname, "../../../shared/data");
  const folder = join(root, name);
  return existsSync(folder) ? folder : null;
}
