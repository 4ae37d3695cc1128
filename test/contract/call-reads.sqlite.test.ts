import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openForReading, openForWriting } from "../../src/adapters/sql/connection.ts";
import { openReads, type ReadLimits } from "../../src/adapters/sql/read-calls.ts";
import { loopShapes } from "../../src/adapters/sql/read-list.ts";
import { Statements } from "../../src/adapters/sql/read-statements.ts";
import type { Scope } from "../../src/core/call.ts";
import { type CallFilter, SORT_FIELDS } from "../../src/core/list.ts";
import { callInserter } from "../support/sqlite-calls.ts";
import { callReadsContract, type Pace } from "./call-reads.contract.ts";

const PACES: Record<Pace, Partial<ReadLimits>> = {
  plain: {},
  walking: { step: 9, gather: 60 },
  hurried: { step: 9, gather: 60, deadline_ms: 0 },
};

/** Which calls have settled: all, or some here and some there. */
const SETTLED: Record<string, (call_no: number) => boolean> = {
  sqlite: () => true,
  "sqlite, three of eight calls fresh": (call_no) => (call_no * 7_919) % 8 > 2,
  "sqlite, all calls fresh": () => false,
};

for (const [name, settled] of Object.entries(SETTLED)) {
  callReadsContract(name, async (calls, teams, pace) => {
    const folder = mkdtempSync(join(tmpdir(), "earshot-reads-"));
    const path = join(folder, "calls.db");
    const writer = openForWriting(path);
    const insert = callInserter(writer, settled);
    writer.transaction(() => {
      for (const call of calls) insert(call);
      const team = writer.prepare(
        "INSERT INTO agents (agent_id, team) VALUES (?, ?) ON CONFLICT (agent_id) DO UPDATE SET team = excluded.team",
      );
      for (const entry of Object.entries(teams)) team.run(...entry);
    })();
    writer.close();
    const db = openForReading(path);
    const log = {
      warn: (fields: Record<string, unknown>, message: string) =>
        expect.unreachable(`${message} ${JSON.stringify(fields)}`),
    };
    const opened = openReads({ path, db, readers: 1, log, limits: PACES[pace] });
    return {
      reads: opened.reads,
      close: async () => {
        await opened.close();
        db.close();
        rmSync(folder, { recursive: true });
      },
    };
  });
}

describe("plans of what runs on the event loop", () => {
  const folder = mkdtempSync(join(tmpdir(), "earshot-plans-"));
  const writer = openForWriting(join(folder, "calls.db"));
  const statements = new Statements(writer);
  const everyone: Scope = { kind: "all" };

  const FIELDS: CallFilter = {
    agent_id: "a",
    customer_id: "c",
    language: "en",
    outcome: "won",
    state: "enriched",
    from_date: 1,
    to_date: 2,
    created_from: 1,
    created_to: 2,
    updated_since: 1,
    min_sentiment: -1,
    max_sentiment: 1,
    min_duration: 1,
    max_duration: 2,
    min_talk_ratio: 0,
    max_talk_ratio: 1,
  };
  const names = Object.keys(FIELDS) as (keyof CallFilter)[];

  test("every shape is a SEARCH of one index and sorts nothing, for every set of filters", () => {
    const seen = new Map<string, { alone: string[]; merged: string[] }>();
    for (let set = 0; set < 1 << names.length; set++) {
      const filter = Object.fromEntries(
        names.filter((_, i) => set & (1 << i)).map((n) => [n, FIELDS[n]]),
      ) as CallFilter;
      for (const field of SORT_FIELDS) {
        for (const descending of [false, true]) {
          for (const after of [null, { value: 1, call_no: 5 }, { value: null, call_no: 5 }]) {
            const page = { limit: 20, offset: 0, after };
            for (const shape of loopShapes({
              scope: everyone,
              filter,
              sort: { field, descending },
              page,
              total: true,
            })) {
              const key = JSON.stringify(shape);
              if (seen.has(key)) continue;
              seen.set(key, { alone: statements.plan(shape, false), merged: statements.plan(shape, true) });
            }
          }
        }
      }
    }
    expect(seen.size).toBeGreaterThan(100);
    for (const [shape, { alone, merged }] of seen) {
      const real = alone.filter((line) => line !== "CO-ROUTINE s" && line !== "SCAN s");
      expect(real, shape).toHaveLength(1);
      expect(real[0], shape).toMatch(/^SEARCH c USING (COVERING )?INDEX idx_call_records_\w+ \(/);
      // With fresh calls: the same search, and a look at those few, which alone are sorted.
      const walked = merged.filter((line) => /^(SEARCH|SCAN) c /.test(line));
      const [search, fresh] = walked;
      expect(search, shape).toBe(real[0]);
      if (walked.length > 1) expect(fresh, shape).toMatch(/^S\w+ c USING (COVERING )?INDEX idx_call_records_fresh/);
      expect(merged.filter((line) => line.includes("TEMP B-TREE")).length, shape).toBeLessThanOrEqual(1);
    }
  }, 60_000);

  test("an agent's dates with a sentiment band: searched by agent and date, counted from the index alone", () => {
    const filter: CallFilter = { agent_id: "a", from_date: 1, to_date: 2, min_sentiment: -0.5, max_sentiment: 0.5 };
    const page = { limit: 20, offset: 0, after: null };
    const shapes = loopShapes({
      scope: everyone,
      filter,
      sort: { field: "start_time", descending: true },
      page,
      total: true,
    });
    const plans = Object.fromEntries(
      shapes.map((s) => [s.kind, statements.plan(s, false).find((l) => l.startsWith("SEARCH"))]),
    );
    const range = "(agent_id=? AND start_time>? AND start_time<?)";
    expect(plans["page"]).toBe(`SEARCH c USING INDEX idx_call_records_agent_start ${range}`);
    for (const kind of ["probe", "tally"])
      expect(plans[kind]).toBe(`SEARCH c USING COVERING INDEX idx_call_records_agent_start ${range}`);
  });

  test("teams and filters no index holds are left to the threads", () => {
    const page = { limit: 20, offset: 0, after: null };
    const shapes = (scope: Scope, filter: CallFilter) =>
      loopShapes({ scope, filter, sort: { field: "start_time", descending: true }, page, total: true });
    expect(shapes({ kind: "team", team: "t" }, {})).toEqual([]);
    expect(shapes(everyone, { language: "en" })).toEqual([]);
    expect(shapes(everyone, { agent_id: "a", min_duration: 5 })).toEqual([]);
    expect(shapes(everyone, { agent_id: "a" })).not.toEqual([]);
  });
});
