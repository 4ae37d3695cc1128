import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Turn } from "../../src/core/call.ts";
import { type CheckedTurns, checkTurns, MAX_OFFSET_MS, MAX_TURNS } from "../../src/core/check-turns.ts";
import { readPlainLines } from "../../src/core/plain-lines.ts";
import { formatTranscript, parseTranscript } from "../../src/core/transcript.ts";

function turnsOf(result: CheckedTurns): Turn[] {
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.turns;
}
function errorsOf(result: CheckedTurns) {
  return result.ok ? [] : result.errors;
}
const brief = (turns: readonly Turn[]) => turns.map((t) => `${t.speaker[0]} ${t.start_ms ?? "-"} ${t.text}`);

describe("parseTranscript", () => {
  it("reads speaker lines in any case, with CRLF, blank lines, a BOM and continuation lines", () => {
    const text = "\uFEFFAgent: Hello there.\r\n\r\nCUSTOMER:Grüß dich 👋\r\n  and good\r\nmorning\ragent： Fine";
    const turns = turnsOf(parseTranscript(text));
    expect(brief(turns)).toEqual(["a - Hello there.", "c - Grüß dich 👋 and good morning", "a - Fine"]);
    expect(turns.map((t) => t.turn_id)).toEqual(["t1", "t2", "t3"]);
  });

  it("reads times before and after the label, and ranges", () => {
    const text = [
      "[00:01:23] Agent: one",
      "00:12 Customer: two",
      "[1:02:03.5 - 1:02:04] Agent: three",
      "Customer (00:15): four",
      "00:00:01.000 --> 00:00:02,250 Agent: five",
    ].join("\n");
    const turns = turnsOf(parseTranscript(text));
    expect(turns.map((t) => [t.start_ms, t.end_ms, t.text])).toEqual([
      [83_000, null, "one"],
      [12_000, null, "two"],
      [3_723_500, 3_724_000, "three"],
      [15_000, null, "four"],
      [1_000, 2_250, "five"],
    ]);
  });

  it("lets a label stand alone above its words", () => {
    expect(brief(turnsOf(parseTranscript("Agent:\nHello.\nCustomer:\nHi.")))).toEqual(["a - Hello.", "c - Hi."]);
  });

  it("takes colons inside the words as words", () => {
    const text = [
      "Agent: Shall we say 10:30?",
      "10:30 works for me: really",
      "Note: the customer nods",
      "https://example.org/a:b",
      "I told them the following, listen: no.",
      "Customer: Price: 20",
    ].join("\n");
    expect(brief(turnsOf(parseTranscript(text)))).toEqual([
      "a - Shall we say 10:30? 10:30 works for me: really Note: the customer nods https://example.org/a:b " +
        "I told them the following, listen: no.",
      "c - Price: 20",
    ]);
  });

  it("lists unknown labels with counts and says how to map them", () => {
    const text = "Client: Hi\nSales Rep: Hello\nClient: Bye\nDr. J. Smith: Yes";
    const [error, ...more] = errorsOf(parseTranscript(text));
    expect(more).toEqual([]);
    expect(error?.pointer).toBe("/transcript");
    expect(error?.message).toBe(
      'unknown speaker labels: "Client" (2), "Sales Rep" (1), "Dr. J. Smith" (1). ' +
        'Say who they are with speaker_map, for example "speaker_map": {"Client":"customer","Sales Rep":"agent"}',
    );
    const map = { client: "customer", "SALES  rep": "agent", "Dr. J. Smith": "customer" };
    expect(turnsOf(parseTranscript(text, map)).map((t) => t.speaker)).toEqual([
      "customer",
      "agent",
      "customer",
      "customer",
    ]);
  });

  it("refuses a third speaker who speaks twice, and one before the first known label", () => {
    expect(errorsOf(parseTranscript("Agent: a\nBoss: b\nCustomer: c\nBoss: d"))[0]?.received).toBe("Boss");
    expect(errorsOf(parseTranscript("Date: Monday\nAgent: a\nCustomer: c"))[0]?.received).toBe("Date");
  });

  it("names the first line when it has no label", () => {
    const [error] = errorsOf(parseTranscript("\nhello there\nAgent: hi"));
    expect(error).toMatchObject({ pointer: "/transcript", received: "hello there" });
    expect(error?.message).toMatch(/^line 2 has no speaker label/);
  });

  it("refuses no words, NUL, a bad map, an end before its start and too much text", () => {
    expect(errorsOf(parseTranscript(" \n"))[0]?.message).toBe("has no words");
    expect(errorsOf(parseTranscript("Agent: …\nCustomer: ?!"))[0]?.message).toBe("has no words");
    expect(errorsOf(parseTranscript("Agent: a\nCustomer: \0"))[0]?.message).toBe("line 2 holds a NUL character");
    expect(errorsOf(parseTranscript("Agent: a", { "A/B": "boss" }))[0]).toMatchObject({
      pointer: "/speaker_map/A~1B",
      received: "boss",
    });
    const early = errorsOf(parseTranscript("Agent: a\nmore\n[00:09-00:08] Customer: b"))[0];
    expect(early).toMatchObject({ pointer: "/transcript", message: "line 3: the end time is before start_ms" });
    expect(errorsOf(parseTranscript(`Agent: ${"é".repeat(1_100_000)}`))[0]?.message).toBe("is too long");
    expect(parseTranscript(`Agent: ${"e".repeat(1_100_000)}`).ok).toBe(true);
  });

  it("reads 2 MB of hostile text without trying every way to split it", () => {
    const started = process.hrtime.bigint();
    for (const line of ["(".repeat(900_000), "a [".repeat(300_000), "1:11".repeat(200_000), ":\n".repeat(500_000)]) {
      parseTranscript(`Agent: a\n${line}`);
    }
    // Quadratic work on a million characters takes hours, not seconds.
    expect(Number(process.hrtime.bigint() - started) / 1e9).toBeLessThan(20);
  });
});

describe("checkTurns", () => {
  const ok = { speaker: "agent", text: "hello" };

  it("fills ids without touching given ones", () => {
    const turns = turnsOf(checkTurns([{ ...ok, turn_id: "t2" }, ok, { ...ok, turn_id: "t2_2" }, ok]));
    expect(turns.map((t) => t.turn_id)).toEqual(["t2", "t2_3", "t2_2", "t4"]);
  });

  it("points to every bad field", () => {
    const errors = errorsOf(
      checkTurns([
        { ...ok, start_ms: 10, end_ms: 5 },
        { ...ok, start_ms: -1 },
        { ...ok, end_ms: 5 },
        { ...ok, turn_id: "x" },
        { ...ok, turn_id: "x" },
        { ...ok, text: "a\0" },
        { ...ok, text: 7 },
        { ...ok, start_ms: MAX_OFFSET_MS + 1 },
        null,
        { ...ok, turn_id: "" },
        { text: "who?" },
        { ...ok, start_ms: Number.NaN },
      ]),
    );
    expect(errors.map((e) => e.pointer)).toEqual([
      "/turns/0/end_ms",
      "/turns/1/start_ms",
      "/turns/2/end_ms",
      "/turns/4/turn_id",
      "/turns/5/text",
      "/turns/6/text",
      "/turns/7/start_ms",
      "/turns/8",
      "/turns/9/turn_id",
      "/turns/10/speaker",
      "/turns/11/start_ms",
    ]);
  });

  it("says unknown speakers once, and maps them", () => {
    const input = [ok, ...Array.from({ length: 500 }, () => ({ speaker: "Rep", text: "x" }))];
    expect(errorsOf(checkTurns(input))).toHaveLength(1);
    expect(errorsOf(checkTurns(input))[0]).toMatchObject({ pointer: "/turns/1/speaker", received: "Rep" });
    expect(turnsOf(checkTurns(input, { rep: "agent" }))).toHaveLength(501);
  });

  it("refuses no list, no words, too many turns; keeps text well formed", () => {
    expect(errorsOf(checkTurns("x"))[0]).toMatchObject({ pointer: "/turns", received: "string" });
    expect(errorsOf(checkTurns([]))[0]?.message).toBe("has no words");
    expect(errorsOf(checkTurns([{ ...ok, text: "--" }]))[0]?.message).toBe("has no words");
    expect(errorsOf(checkTurns(Array.from({ length: MAX_TURNS + 1 }, () => ok)))[0]?.received).toBe("20001");
    expect(turnsOf(checkTurns(Array.from({ length: MAX_TURNS }, () => ok)))).toHaveLength(MAX_TURNS);
    expect(turnsOf(checkTurns([{ ...ok, text: "a\ud800b", start_ms: 1.4 }]))[0]).toMatchObject({
      text: "a\ufffdb",
      start_ms: 1,
    });
  });

  it("answers any JSON without throwing", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(checkTurns(value)).toHaveProperty("ok");
        expect(checkTurns([value])).toHaveProperty("ok");
      }),
    );
  });
});

describe("readPlainLines", () => {
  const known = new Map([
    ["agent", "agent"],
    ["rep", "agent"],
    ["customer", "customer"],
  ] as const);

  it("reads plain labels, continuation lines, CRLF and blank lines", () => {
    const turns = readPlainLines("\nAgent: Hi.\r\n\r\nCUSTOMER:\n so \n it is\nrep:  ", known);
    expect(turns).toEqual([
      { turn_id: "t1", speaker: "agent", text: "Hi.", start_ms: null, end_ms: null },
      { turn_id: "t2", speaker: "customer", text: "so it is", start_ms: null, end_ms: null },
      { turn_id: "t3", speaker: "agent", text: "", start_ms: null, end_ms: null },
    ]);
  });

  it.each([
    ["a time", "[00:01] Agent: Hi."],
    ["an unknown label", "Agent: Hi.\nSpeaker: Yes."],
    ["a colon in a continuation line", "Agent: Hi.\nat 10:30"],
    ["a line before the first label", "Hi.\nAgent: Yes."],
    ["no word", "Agent: …\nCustomer: !"],
    ["a NUL", "Agent: a\0b"],
    ["a lone surrogate", "Agent: a\uD800"],
    ["a lone carriage return", "Agent: Hi.\rCustomer: Yes."],
    ["too many turns", "Agent: Hi.\n".repeat(MAX_TURNS + 1)],
  ])("leaves %s to the closer look", (_what, text) => {
    expect(readPlainLines(text, known)).toBeNull();
  });

  it("gives what the closer look gives, which a byte order mark brings about", () => {
    const words = ["a b", "…", "10:30", "[0:01] ", "：", "\0", "\uD800", "\u2028", "é", " ", "\n", "\r\n", "\r"];
    const labels = ["Agent:", "customer: ", "REP:", "Agent :", "Note:", "agent"];
    const piece = fc.constantFrom("\n", ...labels, ...words);
    const speakerMap = { Rep: "agent" };
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        // A label to begin with, or nearly all would only be errors.
        const text = `Agent: ${pieces.join("")}`;
        expect(parseTranscript(text, speakerMap)).toEqual(parseTranscript(`\uFEFF${text}`, speakerMap));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("formatTranscript", () => {
  const time = fc.option(fc.tuple(fc.integer({ min: 0, max: 9e7 }), fc.option(fc.integer({ min: 0, max: 9e6 }))));
  const turn = fc.record({
    speaker: fc.constantFrom("agent", "customer"),
    text: fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({
        unit: fc.constantFrom("a", ":", "\n", " ", "[", "]", "1", "0", "(", ")", "Agent: ", "Rep: ", "00:12 "),
      }),
    ),
    time,
  });

  it("is the inverse of parseTranscript, line breaks within a text apart", () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1 }), (drafts) => {
        const checked = checkTurns(
          drafts.map(({ speaker, text, time }) => ({
            speaker,
            text,
            ...(time && { start_ms: time[0], ...(time[1] !== null && { end_ms: time[0] + time[1] }) }),
          })),
        );
        fc.pre(checked.ok);
        const turns = turnsOf(checked);
        const flat = turns.map((t) => ({ ...t, text: t.text.replaceAll(/\s*[\r\n]+\s*/g, " ") }));
        expect(turnsOf(parseTranscript(formatTranscript(turns)))).toEqual(flat);
      }),
    );
  });
});
