/**
 * A model folder: tokenizer.json, tokenizer_config.json, config.json and graphs beside them or in onnx/.
 * `models pull` adds graph.json: which graph to run, why, and the SHA-256 of every file. A folder of the user's own has none; its first
 * known graph is run as it is.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

export type Optimization = "all" | "basic";

/** What graph.json records. */
export interface GraphRecord {
  readonly model: string;
  readonly version: string;
  /** The graph to run, relative to the folder. */
  readonly file: string;
  readonly optimization: Optimization;
  readonly graph_id: string;
  readonly space_id: string;
  /** SHA-256 of every file the folder needs, hex, by relative path. */
  readonly files: Readonly<Record<string, string>>;
  /** What was measured on this machine when the choice was made. */
  readonly measured: unknown;
}

/** What to load and what to call it. */
export interface ChosenGraph {
  readonly folder: string;
  readonly file: string;
  readonly optimization: Optimization;
  readonly model: string;
  readonly version: string;
  readonly graph_id: string;
  readonly space_id: string;
}

/** In order of preference: the smaller graphs run faster. */
const GRAPHS = ["model_int8.onnx", "model_quantized.onnx", "model_q4.onnx", "model.onnx", "model_fp16.onnx"].flatMap(
  (name) => [`onnx/${name}`, name],
);

/** Raised where a folder cannot be used; the message says what is wrong and what to do. */
export class ModelFolderError extends Error {
  override readonly name = "ModelFolderError";
}

/** True where there is something to load. */
export function hasModel(folder: string): boolean {
  return existsSync(join(folder, "tokenizer.json")) && findGraph(folder) !== null;
}

/**
 * Reads graph.json and compares every file it lists; without one, takes the first known graph.
 * @throws ModelFolderError naming the missing or damaged file
 */
export async function chooseGraph(folder: string): Promise<ChosenGraph> {
  if (!hasModel(folder)) {
    throw new ModelFolderError(`there is no model in ${folder}; run \`earshot models pull\` or set EARSHOT_MODEL_DIR`);
  }
  const record = readRecord(folder);
  if (record) {
    for (const [path, expected] of Object.entries(record.files)) {
      const file = join(folder, path);
      if (!existsSync(file)) throw new ModelFolderError(`${file} is missing; run \`earshot models pull\``);
      if ((await sha256(file)) !== expected) {
        throw new ModelFolderError(
          `${file} is damaged (its SHA-256 is not the recorded one); run \`earshot models pull\``,
        );
      }
    }
    const { file, optimization, model, version, graph_id, space_id } = record;
    return { folder, file, optimization, model, version, graph_id, space_id };
  }
  const file = findGraph(folder) as string;
  const hash = await graphHash(folder, file);
  return {
    folder,
    file,
    optimization: "all",
    model: basename(folder),
    version: hash.slice(0, 12),
    graph_id: hash.slice(0, 16),
    space_id: spaceId(hash),
  };
}

/** Only vectors of the same weights and pooling may be compared; graphs derived from one source share its space. */
export function spaceId(weightsHash: string): string {
  return createHash("sha256").update(`mean, unit length\n${weightsHash}`).digest("hex").slice(0, 16);
}

/** SHA-256 over a graph file and the external data beside it. */
export async function graphHash(folder: string, file: string): Promise<string> {
  const hash = createHash("sha256").update(await sha256(join(folder, file)));
  for (const data of [`${file}_data`, `${file}.data`]) {
    if (existsSync(join(folder, data))) hash.update(await sha256(join(folder, data)));
  }
  return hash.digest("hex");
}

export function sha256(file: string): Promise<string> {
  return digest(file, "sha256", "hex");
}

export async function digest(
  file: string,
  algorithm: "sha256" | "sha512",
  encoding: "hex" | "base64",
): Promise<string> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest(encoding);
}

export function readRecord(folder: string): GraphRecord | null {
  const path = join(folder, "graph.json");
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as GraphRecord;
  } catch {
    throw new ModelFolderError(`${path} is damaged; run \`earshot models pull\``);
  }
}

function findGraph(folder: string): string | null {
  return GRAPHS.find((file) => existsSync(join(folder, file))) ?? null;
}
