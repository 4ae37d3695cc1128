/**
 * Real texts of the development data and their vectors, made once with the product's encoder and kept in .cache/bench.
 * Arguments come from the benches: the folder of data sets (EARSHOT_DATA_SETS) and the model's (EARSHOT_MODEL_DIR).
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { Encoder } from "../src/adapters/models/encoder.ts";
import { chooseGraph } from "../src/adapters/models/model-folder.ts";
import { DIMENSIONS } from "../src/core/vector.ts";

const CACHE = new URL("../.cache/bench/", import.meta.url).pathname;

export interface Dialogue {
  readonly id: string;
  readonly texts: readonly string[];
}

export interface Corpus {
  readonly persuasion: readonly Dialogue[];
  readonly casino: readonly Dialogue[];
  readonly intents: readonly { readonly text: string; readonly intent: string }[];
  /** Single sentences of other kinds. */
  readonly sentences: readonly string[];
}

export function readCorpus(folder: string): Corpus {
  const csv = (name: string): Record<string, string>[] =>
    parse(readFileSync(join(folder, name)), { columns: true, bom: true, relax_quotes: true, skip_empty_lines: true });
  const persuasion = new Map<string, string[]>();
  for (const row of csv("persuasion-for-good/dialogues.csv")) {
    const turns = persuasion.get(row["B2"] ?? "") ?? [];
    turns.push(row["Unit"] ?? "");
    persuasion.set(row["B2"] ?? "", turns);
  }
  const casino = ["casino_train.json", "casino_valid.json"].flatMap(
    (name) =>
      JSON.parse(readFileSync(join(folder, "casino", name), "utf8")) as {
        dialogue_id: number;
        chat_logs: { text: string }[];
      }[],
  );
  return {
    persuasion: Array.from(persuasion, ([id, texts]) => ({ id, texts })),
    casino: casino.map((d) => ({ id: `casino-${d.dialogue_id}`, texts: d.chat_logs.map((turn) => turn.text) })),
    intents: csv("banking77/train.csv").map((row) => ({ text: row["text"] ?? "", intent: row["category"] ?? "" })),
    sentences: csv("rated-sentences/train.csv").map((row) => row["text"] ?? ""),
  };
}

/** The vector of any of `texts`; those not in the cache are made now, one a run. */
export async function embedAll(texts: Iterable<string>, modelFolder: string): Promise<(text: string) => Float32Array> {
  const unique = [...new Set(texts)];
  const graph = await chooseGraph(modelFolder);
  const key = createHash("sha256").update(graph.graph_id).update(JSON.stringify(unique)).digest("hex").slice(0, 16);
  const file = join(CACHE, `${key}.f32`);
  const bytes = unique.length * DIMENSIONS;
  let all: Float32Array;
  if (existsSync(file)) {
    all = new Float32Array(new Uint8Array(readFileSync(file)).buffer);
  } else {
    const encoder = await Encoder.open(modelFolder, graph.file, graph.optimization);
    all = new Float32Array(bytes);
    for (const [i, text] of unique.entries()) {
      all.set(await encoder.encode(text), i * DIMENSIONS);
      if (i % 5_000 === 0) process.stderr.write(`embedding ${i}/${unique.length}\n`);
    }
    await encoder.close();
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(file, all);
  }
  const at = new Map(unique.map((text, i) => [text, i]));
  return (text) => {
    const i = at.get(text);
    if (i === undefined) throw new Error("a text that was not embedded");
    return all.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
  };
}

export function everyText(corpus: Corpus): string[] {
  return [
    ...[...corpus.persuasion, ...corpus.casino].flatMap((d) => d.texts),
    ...corpus.intents.map((x) => x.text),
    ...corpus.sentences,
  ];
}

/** The two folders from the environment. @throws where one is missing, saying how to set it */
export function folders(env: NodeJS.ProcessEnv): { dataSets: string; model: string } {
  const dataSets = env["EARSHOT_DATA_SETS"];
  const model = env["EARSHOT_MODEL_DIR"];
  if (!dataSets || !model) throw new Error("set EARSHOT_DATA_SETS (data sets) and EARSHOT_MODEL_DIR (model folder)");
  return { dataSets, model };
}
