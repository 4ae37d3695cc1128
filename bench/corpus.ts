/** Real texts of the development data, and their vectors by the product's model. */
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { DIMENSIONS } from "../src/core/vector.ts";
import { csvFields, cutRecords } from "../src/services/import-records.ts";
import { embedAll } from "../tools/embedding-cache.ts";

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

async function readRows(file: string): Promise<Record<string, string>[]> {
  const records: string[][] = [];
  for await (const piece of cutRecords(createReadStream(file), { quotes: true })) {
    if (piece.ok) records.push(csvFields(piece.text));
  }
  const [names = [], ...rows] = records;
  return rows.map((fields) => Object.fromEntries(names.map((name, i) => [name.trim(), fields[i] ?? ""])));
}

export async function readCorpus(folder: string): Promise<Corpus> {
  const csv = (name: string) => readRows(join(folder, name));
  const persuasion = new Map<string, string[]>();
  for (const row of await csv("persuasion-for-good/dialogues.csv")) {
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
    intents: (await csv("banking77/train.csv")).map((row) => ({
      text: row["text"] ?? "",
      intent: row["category"] ?? "",
    })),
    sentences: (await csv("rated-sentences/train.csv")).map((row) => row["text"] ?? ""),
  };
}

/** The vector of any text of the corpus; made at first use, kept in .cache after. */
export async function embedCorpus(corpus: Corpus): Promise<(text: string) => Float32Array> {
  const unique = [...new Set(everyText(corpus))];
  const { vectors } = await embedAll(unique);
  const at = new Map(unique.map((text, i) => [text, i]));
  return (text) => {
    const i = at.get(text);
    if (i === undefined) throw new Error("a text that is not of the corpus");
    return vectors.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
  };
}

function everyText(corpus: Corpus): string[] {
  return [
    ...[...corpus.persuasion, ...corpus.casino].flatMap((d) => d.texts),
    ...corpus.intents.map((x) => x.text),
    ...corpus.sentences,
  ];
}

/** The folder of data sets. @throws where EARSHOT_DATA_SETS is not set */
export function dataSets(env: NodeJS.ProcessEnv): string {
  const folder = env["EARSHOT_DATA_SETS"];
  if (!folder) throw new Error("set EARSHOT_DATA_SETS to the folder of the development data");
  return folder;
}
