import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { effectsPlot, insightPage, judgedTexts } from "../../tools/insight-page.ts";

const file = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

it("keeps docs/insight.md and its plot up to date (node tools/write-insight.ts)", () => {
  const page = file("insight.md");
  expect(insightPage(page)).toBe(page);
  expect(file("images/insight-effects.svg")).toBe(effectsPlot());
});

it("judges the nudges that were answered, not others", () => {
  const pairs = judgedTexts();
  expect(pairs.length).toBe(25);
  for (const { judged, answered } of pairs) expect(judged).toEqual(answered);
});

it("refuses a page that lacks a table or asks for one that is not there", () => {
  expect(() => insightPage("# Nothing")).toThrow("no place for effects");
  expect(() => insightPage("<!-- table: wishes -->\n<!-- end -->")).toThrow("no table wishes");
});
