/** Embeddings of many texts through the product's own path, kept in .cache/ by graph and texts, for tools and benches. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { DIMENSIONS, pinnedFolder } from "../src/adapters/models/pinned-model.ts";
import { openModels } from "../src/adapters/models/open-models.ts";
import { pullModel } from "../src/adapters/models/pull-model.ts";

const CACHE = resolve(import.meta.dirname, "../.cache");

/** The model the tools run, set up at first use. */
export async function toolModel(): Promise<{ folder: string; dataDir: string }> {
  const folder = await pullModel({ dataDir: CACHE, onProgress: (p) => process.stderr.write(`${p.message}\n`) });
  if (folder !== pinnedFolder(CACHE)) throw new Error(`unexpected model folder ${folder}`);
  return { folder, dataDir: CACHE };
}

/** n x 384 unit vectors, in order. `made` is false where they came from the cache. */
export async function embedAll(
  texts: readonly string[],
): Promise<{ vectors: Float32Array; made: boolean; ms: number }> {
  const { folder, dataDir } = await toolModel();
  const models = openModels({ modelDir: folder, dataDir, threads: availableParallelism(), autoPull: false });
  try {
    const { graph_id, problem } = await models.settled();
    if (problem !== null) throw new Error(problem);
    const name = createHash("sha256")
      .update(JSON.stringify([graph_id, texts]))
      .digest("hex")
      .slice(0, 24);
    const file = join(CACHE, "embeddings", `${name}.f32`);
    if (existsSync(file))
      return { vectors: new Float32Array(new Uint8Array(readFileSync(file)).buffer), made: false, ms: 0 };
    const start = performance.now();
    const vectors = new Float32Array(texts.length * DIMENSIONS);
    for (let i = 0; i < texts.length; i += 512) {
      const part = await models.infer(texts.slice(i, i + 512));
      if (!part.vectors) throw new Error(models.describe().problem ?? "the model stopped");
      vectors.set(part.vectors, i * DIMENSIONS);
    }
    mkdirSync(join(CACHE, "embeddings"), { recursive: true });
    writeFileSync(file, vectors);
    return { vectors, made: true, ms: performance.now() - start };
  } finally {
    await models.close();
  }
}
