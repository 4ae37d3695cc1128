/** Writes docs/benchmarks.md, docs/plots and the table of docs/operations.md from bench/results: node bench/write-page.ts */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchmarksPage } from "./benchmarks-page.ts";
import { withOverloadTable } from "./overload-table.ts";
import { readResults } from "./read-results.ts";

const docs = join(import.meta.dirname, "../docs");
mkdirSync(join(docs, "plots"), { recursive: true });
for (const [path, text] of benchmarksPage(readResults())) writeFileSync(join(docs, path), text);
const operations = join(docs, "operations.md");
writeFileSync(operations, withOverloadTable(readFileSync(operations, "utf8"), readResults()));
