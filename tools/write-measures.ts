/** Writes docs/measures.md: `node tools/write-measures.ts`. A test fails while the page and the tables differ. */
import { writeFileSync } from "node:fs";
import { measuresPage } from "../src/core/measures-page.ts";

writeFileSync(new URL("../docs/measures.md", import.meta.url), measuresPage());
