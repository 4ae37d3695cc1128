import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.ts";
import { readCsv } from "../../src/services/import-csv.ts";
import type { Entry } from "../../src/services/import-entry.ts";
import { NO_MAP, parseDefaults, parseMap, parseSpeakers } from "../../src/services/import-map.ts";
import { readNdjson } from "../../src/services/import-ndjson.ts";
import { csvFields, cutRecords, type Piece } from "../../src/services/import-records.ts";

async function* chunks(data: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), data.length]) {
    const to = Math.max(from, Math.min(cut, data.length));
    yield data.slice(from, to);
    from = to;
  }
}

const all = <T>(items: AsyncIterable<T>): Promise<T[]> => Array.fromAsync(items);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const every = (data: Uint8Array): number[] => Array.from({ length: data.length }, (_, i) => i);
const cut = (text: string, quotes = true, maxBytes = 1_000): Promise<Piece[]> =>
  all(cutRecords(chunks(bytes(text), []), { quotes, maxBytes }));
const csv = (text: string, map = NO_MAP): Promise<Entry[]> => all(readCsv(chunks(bytes(text), []), { map }));
const ndjson = (text: string): Promise<Entry[]> => all(readNdjson(chunks(bytes(text), []), { map: NO_MAP }));
const problems = (entries: readonly Entry[]): string[] =>
  entries.flatMap((e) => ("problems" in e ? e.problems.map((p) => `${p.line}: ${p.message}`) : []));
const bodies = (entries: readonly Entry[]): unknown[] => entries.flatMap((e) => ("body" in e ? [e.body] : []));

/** Pieces of CSV and of trouble, joined at random. */
const messy = fc
  .array(
    fc.constantFrom(
      '"',
      '""',
      ",",
      "\n",
      "\r\n",
      "a",
      "é😀",
      " ",
      '"x"',
      '"y,\nz"',
      '\n"',
      '",',
      "\uFEFF",
      "0123456789",
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

async function* longLine(): AsyncGenerator<Uint8Array> {
  yield bytes("first\n");
  const some = Buffer.alloc(16_384, "x");
  for (let i = 0; i < 4_000; i++) yield some;
  yield bytes("\nlast\n");
}

describe("records", () => {
  it("are the same wherever the chunks end", async () => {
    await fc.assert(
      fc.asyncProperty(
        messy,
        fc.array(fc.nat(60), { maxLength: 12 }),
        fc.boolean(),
        fc.integer({ min: 4, max: 40 }),
        async (text, cuts, quotes, maxBytes) => {
          const data = bytes(text);
          const whole = await all(cutRecords(chunks(data, []), { quotes, maxBytes }));
          expect(await all(cutRecords(chunks(data, cuts), { quotes, maxBytes }))).toEqual(whole);
          expect(await all(cutRecords(chunks(data, every(data)), { quotes, maxBytes }))).toEqual(whole);
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it("go on from any record's end as if nothing had happened", async () => {
    await fc.assert(
      fc.asyncProperty(messy, fc.boolean(), async (text, quotes) => {
        // A byte order mark counts only at the very start of the file.
        const data = bytes(text.replaceAll("\uFEFF", ""));
        const whole = await all(cutRecords(chunks(data, []), { quotes, maxBytes: 30 }));
        for (const [i, { end, nextLine }] of whole.entries()) {
          const rest = cutRecords(chunks(data.slice(end), []), {
            quotes,
            maxBytes: 30,
            from: { bytes: end, line: nextLine },
          });
          expect(await all(rest)).toEqual(whole.slice(i + 1));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("give back any cells that were written by the rules", async () => {
    const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r\n", "é", " ", "") });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        async (rows) => {
          const text = rows.map((r) => r.map((c) => `"${c.replaceAll('"', '""')}"`).join(",")).join("\r\n");
          const pieces = await all(
            cutRecords(chunks(bytes(text), every(bytes(text))), { quotes: true, maxBytes: 10_000 }),
          );
          expect(pieces.map((p) => (p.ok ? csvFields(p.text) : p.message))).toEqual(rows);
        },
      ),
    );
  });

  it("are numbered by line, without BOM, line ends and empty lines", async () => {
    const pieces = await cut('\uFEFF"a",b\r\n\n"x\ny",z\n  \nlast');
    expect(pieces.map((p) => [p.line, p.nextLine, p.ok ? p.text : p.message])).toEqual([
      [1, 2, '"a",b'],
      [3, 5, '"x\ny",z'],
      [6, 7, "last"],
    ]);
    expect(pieces.at(-1)?.end).toBe(bytes('\uFEFF"a",b\r\n\n"x\ny",z\n  \nlast').length);
  });

  it("cost one line where a quote is never closed or has text behind it", async () => {
    const pieces = await cut('a,b\n"open,c\nd,e\n"f"g,h\ni,j\n"k\n');
    expect(pieces.map((p) => [p.line, p.ok ? p.text : "bad"])).toEqual([
      [1, "a,b"],
      [2, "bad"],
      [3, "d,e"],
      [4, "bad"],
      [5, "i,j"],
      [6, "bad"],
    ]);
  });

  it("that are too long are passed over without being held", async () => {
    const before = process.memoryUsage().arrayBuffers;
    const pieces: Piece[] = [];
    for await (const piece of cutRecords(longLine(), { quotes: false })) {
      pieces.push(piece);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    }
    expect(pieces.map((p) => [p.line, p.ok ? p.text : p.message])).toEqual([
      [1, "first"],
      [2, "is too long (at most 2097152 bytes a call)"],
      [3, "last"],
    ]);
    expect(pieces.at(-1)?.end).toBe(6 + 4_000 * 16_384 + 6);
  });

  it("that are no UTF-8 are refused", async () => {
    const data = new Uint8Array([...bytes("ok\n"), 0xff, 0xc0, 10, ...bytes("ok")]);
    const pieces = await all(cutRecords(chunks(data, []), { quotes: false }));
    expect(pieces.map((p) => (p.ok ? p.text : p.message))).toEqual(["ok", "is not valid UTF-8", "ok"]);
  });
});

describe("NDJSON", () => {
  it("is one body a line; what is none is named by line and column, never quoted", async () => {
    const entries = await ndjson('{"a":1}\nnot json secret\n[1]\n\n{"a":2}\n"text"\nnull');
    expect(bodies(entries)).toEqual([{ a: 1 }, { a: 2 }]);
    const bad = problems(entries);
    expect(bad.map((p) => p.split(":")[0])).toEqual(["2", "3", "6", "7"]);
    expect(bad.join()).not.toContain("secret");
    expect(bad[1]).toContain("is an array");
  });
});

describe("CSV with one row a call", () => {
  it("takes the columns by name or map, and names bad rows", async () => {
    const map = parseMap("transcript=Words,call_id=Id");
    const text =
      'Id,Words,agent_id,extra,duration_seconds\n1,"Agent: hi\nCustomer: ho",ann,x,12.5\n2,short\n3,Agent: one,,y,soon\n';
    const entries = await csv(text, map);
    expect(bodies(entries)).toEqual([
      { call_id: "1", transcript: "Agent: hi\nCustomer: ho", agent_id: "ann", duration_seconds: 12.5 },
      { call_id: "3", transcript: "Agent: one", duration_seconds: "soon" },
    ]);
    expect(problems(entries)).toEqual(["4: has 2 columns where the first line has 5"]);
  });

  it("takes turns as JSON", async () => {
    const entries = await csv('call_id,turns\n1,"[{""speaker"":""agent"",""text"":""hi""}]"\n2,"[{"\n');
    expect(bodies(entries)).toEqual([{ call_id: "1", turns: [{ speaker: "agent", text: "hi" }] }]);
    expect(problems(entries)).toEqual(["3: /turns: is not valid JSON"]);
  });

  it("says which columns are there when the mapped one is not", async () => {
    await expect(csv("a,b\n1,2\n", parseMap("transcript=Words"))).rejects.toThrow(
      'no column "Words"; the file has "a", "b"',
    );
    await expect(csv("a,b\n1,2\n")).rejects.toThrow("no column for transcript, turns or text");
    await expect(csv("text,b\n1,2\n")).rejects.toThrow("no column for call_id and speaker");
  });
});

describe("CSV with one row a turn", () => {
  const map = parseMap("call_id=B2,turn=Turn,text=Unit,speaker=B4,agent=0,customer=1");
  const head = ",Unit,Turn,B4,B2\n";

  it("gathers the rows of a call, by turn and then in the order of the file", async () => {
    const entries = await csv(`${head}0,b,1,0,x\n1,a,0,0,x\n2,"c, ""d""",1,1,x\n3,other,0,1,y\n`, map);
    expect(entries.map((e) => e.line)).toEqual([2, 5]);
    expect(bodies(entries)[0]).toEqual({
      call_id: "x",
      turns: [
        { speaker: "0", text: "a" },
        { speaker: "0", text: "b" },
        { speaker: "1", text: 'c, "d"' },
      ],
      speaker_map: { 0: "agent", 1: "customer" },
    });
    expect(entries[0]).toMatchObject({ turnLines: [3, 2, 4], nextLine: 5 });
  });

  it("refuses a call whose rows lie apart, and names the lines", async () => {
    const entries = await csv(`${head}0,a,0,0,x\n1,b,0,1,y\n2,c,1,0,x\n`, map);
    expect(bodies(entries)).toHaveLength(2);
    expect(problems(entries)).toEqual([
      '4: call "x" has rows apart from its others, which begin in line 2: the rows of a call must follow one another',
    ]);
  });

  it("never stores half a call: an unreadable row takes the calls with it that it may belong to", async () => {
    const inside = await csv(`${head}0,a,0,0,x\n1,b,0\n2,c,1,0,x\n3,d,0,0,y\n`, map);
    expect(bodies(inside).map((b) => (b as { call_id: string }).call_id)).toEqual(["y"]);
    const between = await csv(`${head}0,a,0,0,x\n1,b,0\n2,c,1,0,y\n3,d,0,0,z\n`, map);
    expect(bodies(between).map((b) => (b as { call_id: string }).call_id)).toEqual(["z"]);
    expect(problems(between)).toEqual([
      "3: has 3 columns where the first line has 5",
      '4: call "y" is left out: line 3 before it could not be read and may belong to it',
    ]);
    const many = await csv(`${head}0,a,0,0,x\nbad\nbad\nbad\n3,d,0,0,y\n4,e,0,0,z\n`, map);
    expect(problems(many).map((p) => p.split(":")[0])).toEqual(["3", "4", "5", "6"]);
    expect(bodies(many)).toHaveLength(1);
  });

  it("names the row of a turn without a number, and rows without a call", async () => {
    const entries = await csv(`${head}0,a,first,0,x\n1,b,0,0,\n2,c,0,0,z\n3,c,0,0,zz\n`, map);
    expect(problems(entries)[0]).toBe("3: /call_id: is missing");
    expect(problems(await csv(`${head}0,a,0,0,x\n1,b,one,0,x\n`, map))).toEqual(["3: /turn: is no number"]);
  });
});

describe("options", () => {
  it("of a mapping", () => {
    expect(parseMap(" call_id = A B , agent=seller,customer=buyer")).toEqual({
      columns: { call_id: "A B" },
      speakers: { seller: "agent", buyer: "customer" },
    });
    expect(parseMap('{"call_id": "a,b", "agent": "x"}')).toEqual({
      columns: { call_id: "a,b" },
      speakers: { x: "agent" },
    });
    expect(() => parseMap("colour=blue")).toThrow('"colour" is no field');
    expect(() => parseMap("call_id")).toThrow(AppError);
    expect(() => parseMap("{nope")).toThrow("is not valid JSON");
  });

  it("of defaults and speakers", () => {
    expect(parseDefaults("agent_id=ann,duration_seconds=3")).toEqual({ agent_id: "ann", duration_seconds: 3 });
    expect(parseDefaults("")).toEqual({});
    expect(() => parseDefaults("call_id=1")).toThrow('"call_id" has no default');
    expect(parseSpeakers("Rep=agent,Client=customer")).toEqual({ Rep: "agent", Client: "customer" });
    expect(() => parseSpeakers("Rep=boss")).toThrow("maps to no speaker");
  });
});
