/** Writes the tables of docs/insight.md and its plot: `node tools/write-insight.ts`. A test fails while they differ. */
import { readFileSync, writeFileSync } from "node:fs";
import { effectsPlot, insightPage } from "./insight-page.ts";

const page = new URL("../docs/insight.md", import.meta.url);
writeFileSync(page, insightPage(readFileSync(page, "utf8")));
writeFileSync(new URL("../docs/images/insight-effects.svg", import.meta.url), effectsPlot());
