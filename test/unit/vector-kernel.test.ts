import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { assembleKernel } from "../../tools/assemble-kernel.ts";

test("the committed kernel is what its text says", async () => {
  const bytes = await readFile(new URL("../../src/adapters/vectors/kernel.wasm", import.meta.url));
  expect(Buffer.from(await assembleKernel()).equals(bytes), "run: node tools/assemble-kernel.ts").toBe(true);
});
