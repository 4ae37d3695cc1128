import fc from "fast-check";
import { expect, test } from "vitest";
import { pack, unpack } from "../../src/adapters/sql/codec.ts";

function roundTrip(text: string, times: number): void {
  const json = JSON.stringify(Array.from({ length: times }, () => text));
  expect(unpack(pack(json))).toBe(json);
  expect(unpack(Buffer.from(json))).toBe(json);
}

test("JSON of any size comes back as it was packed, and plain JSON as it is", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 4_000 }), roundTrip), {
    numRuns: 60,
  });
  roundTrip("", 0);
  roundTrip("word ", 5_000);
});

test("long texts are packed by zstd, short ones by zlib", () => {
  const long = JSON.stringify(["a".repeat(20_000)]);
  expect(pack(long).readUInt32LE(0)).toBe(0xfd2fb528);
  expect(pack("[]")[0]).toBe(0x78);
});
