/**
 * The model alone: sequences a second on one core by length and graph, and the same texts through Earshot's model thread
 * and through sentence-transformers (fp32 PyTorch; MODEL_PYTHON or .cache/venv-model has it), in turn in one run.
 *   node bench/model.ts [--texts 400] [--rounds 2]     EARSHOT_DATA_SETS: real turns; otherwise the bench's made-up ones
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { benchModel } from "../src/adapters/models/check-model.ts";
import { openModels } from "../src/adapters/models/open-models.ts";
import { modelDir } from "../test/support/model.ts";
import { readCorpus } from "./corpus.ts";
import { machine } from "./machine.ts";
import { seedOf } from "./seeded-calls.ts";

const { values } = parseArgs({
  options: { texts: { type: "string", default: "400" }, rounds: { type: "string", default: "2" } },
});
const VENV = resolve(import.meta.dirname, "../.cache/venv-model/bin/python");
const python = process.env["MODEL_PYTHON"] ?? VENV;
const folder = await modelDir();
const say = (line: object) => console.log(JSON.stringify(line));

async function someTexts(count: number): Promise<string[]> {
  const data = process.env["EARSHOT_DATA_SETS"];
  const all = data
    ? (await readCorpus(data)).persuasion.flatMap((d) => d.texts)
    : seedOf(1)
        .texts.flat()
        .map((line) => line.slice(line.indexOf(": ") + 2));
  // Each once: Earshot remembers short texts it has seen.
  return [...new Set(all.filter((t) => t.trim() !== ""))].slice(0, count);
}

async function ours(texts: readonly string[]): Promise<object> {
  const models = openModels({ modelDir: folder, dataDir: tmpdir(), threads: 1, autoPull: false, log: () => {} });
  try {
    await models.settled();
    await models.infer(["One sentence to begin with."]);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const cpu = process.cpuUsage();
    const began = performance.now();
    const step = 32;
    for (let i = 0; i < texts.length; i += step) await models.infer(texts.slice(i, i + step));
    const seconds = (performance.now() - began) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    delay.disable();
    return {
      measure: "texts",
      runner: "Earshot, one model thread",
      texts: texts.length,
      per_second: round(texts.length / seconds),
      cpu_ms_a_text: round((user + system) / 1_000 / texts.length),
      // The timer itself counts with its millisecond.
      loop_delay_p99_ms: round(delay.percentile(99) / 1e6),
      rss_mb: Math.round(process.memoryUsage().rss / 2 ** 20),
      note: `${models.describe().graph_id?.slice(0, 12)}, sentiment and tokenising in JavaScript included`,
    };
  } finally {
    await models.close();
  }
}

say(machine());
const texts = await someTexts(Number(values.texts));
const work = mkdtempSync(join(tmpdir(), "earshot-bench-model-"));
const list = join(work, "texts.json");
writeFileSync(list, JSON.stringify(texts));
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    if (round === 0) {
      await benchModel(folder, ({ file, chosen, lengths }) => {
        const graph = `${file.replace("onnx/", "")}${chosen ? " (in use)" : ""}`;
        for (const length of lengths) say({ measure: "speed", graph, ...length });
      });
    }
    say({ round, ...(await ours(texts)) });
    if (!existsSync(python)) {
      console.error("no Python with sentence-transformers: Earshot is measured alone");
      continue;
    }
    const theirs = spawnSync(python, [join(import.meta.dirname, "peer/embed.py"), folder, list], { encoding: "utf8" });
    if (theirs.status !== 0) throw new Error(theirs.stderr.slice(-2_000));
    for (const line of theirs.stdout.trim().split("\n")) {
      const said = JSON.parse(line) as { measure: string };
      if (said.measure === "texts" || round === 0) say({ round, ...said });
    }
  }
} finally {
  rmSync(work, { recursive: true });
}

function round(n: number): number {
  return Math.round(n * 100) / 100;
}
