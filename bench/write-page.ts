/** Writes docs/benchmarks.md and docs/plots from bench/results: node bench/write-page.ts */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchmarksPage } from "./benchmarks-page.ts";
import { readResults } from "./read-results.ts";

const docs = join(import.meta.dirname, "../docs");
mkdirSync(join(docs, "plots"), { recursive: true });
for (const [path, text] of benchmarksPage(readResults())) writeFileSync(join(docs, path), text);
