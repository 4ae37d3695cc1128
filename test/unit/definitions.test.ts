import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DEFINITIONS } from "../../src/core/definitions.ts";
import { MEASURE_NAMES } from "../../src/core/measures.ts";
import { measuresPage } from "../../src/core/measures-page.ts";

it("defines every measure once", () => {
  expect(Object.keys(DEFINITIONS).toSorted()).toEqual(MEASURE_NAMES.toSorted());
});

it("keeps docs/measures.md up to date (node tools/write-measures.ts)", () => {
  expect(readFileSync(new URL("../../docs/measures.md", import.meta.url), "utf8")).toBe(measuresPage());
});
