/**
 * Assembles src/adapters/vectors/kernel.wat into kernel.wasm beside it: `node tools/assemble-kernel.ts`.
 * A development-time step; the bytes are committed and a test holds them against the text.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const TEXT = new URL("../src/adapters/vectors/kernel.wat", import.meta.url);
const BYTES = new URL("../src/adapters/vectors/kernel.wasm", import.meta.url);

/** The module's bytes, from its text. */
export async function assembleKernel(): Promise<Uint8Array> {
  const toolkit = await wabt();
  const parsed = toolkit.parseWat("kernel.wat", await readFile(TEXT, "utf8"), { simd: true });
  try {
    parsed.validate();
    return parsed.toBinary({}).buffer;
  } finally {
    parsed.destroy();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = await assembleKernel();
  await writeFile(BYTES, bytes);
  process.stdout.write(`kernel.wasm: ${bytes.length} bytes\n`);
}
