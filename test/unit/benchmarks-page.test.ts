import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { benchmarksPage } from "../../bench/benchmarks-page.ts";
import { readResults } from "../../bench/read-results.ts";

test("docs/benchmarks.md and its plots are what the results say (node bench/write-page.ts)", () => {
  for (const [path, text] of benchmarksPage(readResults())) {
    expect(readFileSync(join(import.meta.dirname, "../../docs", path), "utf8"), path).toBe(text);
  }
});
