/** What deploy/ holds, as the programs that use it read it. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const COMPOSE_FILE = join(ROOT, "deploy/compose.yaml");
export const KAFKA_FILE = join(ROOT, "deploy/compose.kafka.yaml");

interface Service {
  readonly image: string;
  readonly command: readonly string[] | null;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: {
    readonly replicas?: number;
    readonly resources?: { readonly limits?: { readonly cpus?: number; readonly memory?: string } };
  };
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
}

export interface Project {
  readonly services: Readonly<Record<string, Service>>;
}

/** The settings of an env file. */
export function envFile(path: string): Record<string, string> {
  const lines = readFileSync(path, "utf8").split("\n");
  return Object.fromEntries(
    lines
      .filter((line) => /^[A-Z]/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.split("=")[1] ?? ""]),
  );
}

/**
 * What Docker makes of compose files, variables filled in from `env`.
 * @param program as `requirement("compose")` found it
 * @throws what is wrong with them
 */
export function composeProject(program: string, files: readonly string[], env: Record<string, string>): Project {
  const { status, stdout, stderr } = spawnSync(program, files, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Project;
}

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Stages of the container file by name, the last one as "final"; each begins with its FROM. */
export function containerStages(): ReadonlyMap<string, readonly Instruction[]> {
  const text = readFileSync(join(ROOT, "deploy/Containerfile"), "utf8")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "");
  const stages = new Map<string, Instruction[]>();
  let stage: Instruction[] = [];
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [, name = "", rest = ""] = /^(\w+) +(.*)$/.exec(line) ?? [];
    if (name === "FROM") {
      stage = [];
      stages.set(/ AS (\S+)$/.exec(rest)?.[1] ?? "final", stage);
    }
    stage.push({ name, rest });
  }
  return stages;
}

/** Values of an ENV or LABEL instruction. */
export function pairs(rest: string): Record<string, string> {
  return Object.fromEntries(
    [...rest.matchAll(/([\w.]+)=("[^"]*"|\S+)/g)].map(([, name, value]) => [name, (value ?? "").replaceAll('"', "")]),
  );
}
