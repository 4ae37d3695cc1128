import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { benchmarksPage } from "../../bench/benchmarks-page.ts";
import { readResults } from "../../bench/read-results.ts";
import { rampText, scaleText } from "../../bench/scale-text.ts";
import { SETTINGS } from "../../src/settings.ts";

const docs = join(import.meta.dirname, "../../docs");
const page = readFileSync(join(docs, "scaling.md"), "utf8");
const read = (path: string): string => readFileSync(join(docs, path), "utf8");
/** Sections that a bench writes once it was run. */
const NOT_YET: Readonly<Record<string, string>> = {
  "one-process-and-several": "scale",
  "a-business-day-in-minutes": "ramp",
};

const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );

test("every link of docs/scaling.md leads somewhere", () => {
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(30);
  for (const link of links) {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? "scaling.md" : path;
    expect(existsSync(join(docs, target)), link).toBe(true);
    if (anchor === undefined || (NOT_YET[anchor] && !readResults()[NOT_YET[anchor]])) continue;
    expect(anchorsOf(read(target)), link).toContain(anchor);
  }
  expect(existsSync(join(docs, "../deploy/compose/example.env"))).toBe(true);
});

test.each([
  ["benchmarks.md", ["6,230", "2,453", "6,326", "609", "7,980", "13,121", "119,998", "99,047", "58.2", "64.3"]],
  ["benchmarks.md", ["0.181", "0.416", "0.158", "0.172", "0.347", "0.587", "3.68", "6.18", "0.174", "0.179", "451"]],
  ["adr/0012-postgresql.md", ["12,897", "4,047", "9,823", "5,879", "3,351"]],
  ["adr/0010-redis.md", ["131.6", "1.9"]],
])("its figures are those of docs/%s", (path, figures) => {
  const source = read(path);
  for (const figure of figures) {
    expect([figure, page.includes(figure)]).toEqual([figure, true]);
    expect([figure, source.includes(figure)]).toEqual([figure, true]);
  }
});

test("it names settings that exist", () => {
  const known = new Set<string>(SETTINGS.map(({ name }) => name));
  const named = new Set([...page.matchAll(/EARSHOT_[A-Z_]+/g)].map(([name]) => name));
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
});

const spread = (median: number) => ({ min: median, median, max: median });

test("the sections on scale and on a ramp say what their lines say", () => {
  const side = (label: string, rps: number, cpu: number, more = {}) => ({
    label,
    rps: spread(rps),
    server_cpu_ms_per_request: spread(cpu),
    errors: 0,
    ...more,
  });
  const sides = [side("one", 1_000, 0.5), side("three", 1_500, 0.75, { nginx_cpu_ms_per_request: spread(0.07) })];
  const run = { at: "", commit: "", options: [] };
  const scale = [{ ...run, lines: [{ row: "scale", calls: 20_000, rounds: 3, sides }] }];
  expect(scaleText({ scale })).toContain("| three | 1,500 | 1.5x | – | – | 0.75 | 0.07 | – | – | 1.5x | – | 0 |");
  const slice = { slice: 60, from_s: 60, rate: 250, admitted: 900, refused: 12, errors: 0, p50_ms: 5, p99_ms: 40 };
  const total = { ramp: 10, calls: 20_000, peak: 250, most_waiting: 70, most_age_s: 9, backlog_gone_after_s: 30 };
  const ramp = [{ ...run, lines: [{ ...slice, waiting: 70, queue_age_s: 9 }, total] }];
  expect(rampText({ ramp })).toContain("| 1 | 250 | 900 | 12 | 0 | 5 | 40 | 70 | 9 |");
  expect(rampText({ ramp })).toContain("The backlog was gone 30 s after the last request.");
  expect(benchmarksPage({ scale, ramp }).get("benchmarks.md")).toContain(scaleText({ scale }));
});
