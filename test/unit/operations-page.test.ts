import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withOverloadTable } from "../../bench/overload-table.ts";
import { readResults } from "../../bench/read-results.ts";
import { SETTINGS } from "../../src/settings.ts";
import { SHED_LIMITS } from "../../src/http/shed.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");

test("the table of docs/operations.md is what the results say (node bench/write-page.ts)", () => {
  expect(readResults()["overload"]?.length).toBeGreaterThan(0);
  expect(withOverloadTable(page, readResults())).toBe(page);
});

test("the limits that docs/operations.md names are those of the code", () => {
  const { turn_ms, patience_ms, in_flight, write_wait_ms } = SHED_LIMITS;
  expect(page).toContain(`longer than ${turn_ms} ms for ${patience_ms} ms`);
  expect(page).toContain(`${in_flight.toLocaleString("en")} requests under way`);
  expect(page).toContain(`more than ${write_wait_ms / 1000} s for its commit`);
  for (const { name, fallback } of SETTINGS) {
    if (name.startsWith("EARSHOT_RATE_LIMIT")) expect(page).toContain(`\`${name}\` (${fallback})`);
  }
});
