/** Conversations of the data sets as files that Earshot imports, and what its API answers about them. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "../src/core/call.ts";
import type { MeasureName } from "../src/core/measures.ts";
import type { DemoTruth } from "../src/demo/generate.ts";
import { generateDemo } from "../src/demo/generate.ts";
import { runCli, startEarshot } from "../test/support/process.ts";
import { readTable } from "../tools/read-csv.ts";

/** Any day: it only moves the start times. */
const DEMO_DAY = Date.UTC(2026, 10, 23, 12);

interface Input {
  readonly file: string;
  readonly args: readonly string[];
}

/** A call as the API answers it. */
export interface ApiCall {
  readonly call_id: string;
  readonly agent_id: string;
  readonly outcome: Outcome | null;
  readonly customer_sentiment_score: number | null;
  readonly turns: readonly { speaker: "agent" | "customer"; text: string; sentiment: number | null }[];
  readonly insights: Readonly<Record<MeasureName, number | null>> & {
    readonly unavailable: Readonly<Record<string, string>>;
  };
}

export interface ApiNudge {
  readonly rule_id: string;
  readonly severity: string;
  readonly text: string;
}

export interface Recommended {
  readonly similar_calls: readonly { call_id: string }[];
  readonly nudges: readonly ApiNudge[];
}

/** Imports a file beside a running server, waits until nothing waits, and reads every call back. */
export async function throughProduct(
  input: (folder: string) => Promise<Input>,
  { model, recommend = false }: { model: string; recommend?: boolean },
): Promise<{ calls: ApiCall[]; recommended: Map<string, Recommended> }> {
  const data = await mkdtemp(join(tmpdir(), "earshot-insight-"));
  const env = { EARSHOT_DATA_DIR: data, EARSHOT_MODEL_DIR: model, EARSHOT_LOG_LEVEL: "warn" };
  const { file, args } = await input(data);
  const server = await startEarshot(env);
  try {
    const imported = await runCli(["import", file, ...args], env);
    if (imported.code !== 0) throw new Error(imported.stderr);
    const waiting = async () => {
      const { checks } = await server.get<{ checks: { queue: { ready: number; running: number } } }>("/health/ready");
      return checks.queue.ready + checks.queue.running;
    };
    while ((await waiting()) > 0) await new Promise((resolve) => setTimeout(resolve, 200));
    const calls: ApiCall[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { calls: ApiCall[]; next_cursor: string | null } = await server.get(
        `/api/v1/calls?view=full&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      calls.push(...page.calls);
      cursor = page.next_cursor;
    }
    const recommended = new Map<string, Recommended>();
    for (const { call_id } of recommend ? calls : [])
      recommended.set(call_id, await server.get<Recommended>(`/api/v1/calls/${call_id}/recommendations`));
    return { calls: calls.toSorted((a, b) => (a.call_id < b.call_id ? -1 : 1)), recommended };
  } finally {
    await server.stop();
    await rm(data, { recursive: true, force: true });
  }
}

/**
 * persuasion-for-good with a row a turn: the persuader is the agent, the call is won where the persuadee donated.
 * `half` keeps the first half of the turns alone.
 */
export const persuasion =
  (from: string, { half = false } = {}) =>
  async (folder: string): Promise<Input> => {
    const people = await readTable(join(from, "persuasion-for-good", "outcomes.csv"));
    const agents = new Map(people.filter((p) => p["role"] === "persuader").map((p) => [p["dialogue_id"], p]));
    const customers = new Map(people.filter((p) => p["role"] === "persuadee").map((p) => [p["dialogue_id"], p]));
    const turns = Map.groupBy(await readTable(join(from, "persuasion-for-good", "dialogues.csv")), (t) => t["B2"]);
    const lines = [["call_id", "agent_id", "customer_id", "start_time", "outcome", "speaker", "text"]];
    for (const [id, said] of turns) {
      const [agent, customer] = [agents.get(id), customers.get(id)];
      if (!id || !agent || !customer) throw new Error(`${id}: no outcome`);
      const outcome = Number(customer["donation_usd"]) > 0 ? "won" : "lost";
      const start = id.replace(/^(?:BAD_)?(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d).*$/, "$1-$2-$3T$4:$5:$6Z");
      const head = [id, agent["user_id"] ?? "", customer["user_id"] ?? "", start, outcome];
      for (const t of half ? said.slice(0, Math.floor(said.length / 2)) : said)
        lines.push([...head, t["B4"] ?? "", t["Unit"] ?? ""]);
    }
    const file = join(folder, "persuasion.csv");
    await writeFile(file, lines.map((l) => l.map((c) => `"${c.replaceAll('"', '""')}"`).join(",")).join("\n"));
    return { file, args: ["--map", "call_id=call_id,speaker=speaker,text=text,agent=0,customer=1"] };
  };

/** Who talked with whom: the dialogue to the workers behind its sides. */
export async function workers(from: string): Promise<Map<string, { persuader: string; persuadee: string }>> {
  const found = new Map<string, { persuader: string; persuadee: string }>();
  for (const row of await readTable(join(from, "persuasion-for-good", "outcomes.csv"))) {
    const id = row["dialogue_id"] ?? "";
    found.set(id, { persuader: "", persuadee: "", ...found.get(id), [row["role"] ?? ""]: row["user_id"] ?? "" });
  }
  return found;
}

const SIDES = ["mturk_agent_1", "mturk_agent_2"] as const;

interface Camp {
  readonly dialogue_id: number;
  readonly chat_logs: readonly { text: string; id: string }[];
  readonly participant_info: Readonly<Record<string, { outcomes: Record<string, string | number> }>>;
}

async function camps(from: string): Promise<{ id: string; camp: Camp }[]> {
  const files = ["casino_train.json", "casino_valid.json"].map(async (name) =>
    (JSON.parse(await readFile(join(from, "casino", name), "utf8")) as Camp[]).map((camp) => ({
      id: `${name === "casino_train.json" ? "train" : "valid"}-${camp.dialogue_id}`,
      camp,
    })),
  );
  return (await Promise.all(files)).flat();
}

/** casino as NDJSON, side 1 as the agent; offers and their answers are no words. `own` is one more call of our own lines. */
export const casino =
  (from: string, own: readonly string[]) =>
  async (folder: string): Promise<Input> => {
    const calls: object[] = (await camps(from)).map(({ id, camp }) => ({
      call_id: id,
      turns: camp.chat_logs
        .filter((t) => !/^(?:Submit|Accept|Reject)-Deal$|^Walk-Away$/.test(t.text))
        .map((t) => ({ speaker: t.id === SIDES[0] ? "agent" : "customer", text: t.text })),
    }));
    calls.push({ call_id: OWN, turns: own.map((text) => ({ speaker: "customer", text })) });
    return ndjson(folder, calls);
  };

/** The call of our own lines. */
export const OWN = "own-lines";

const SCALES: Readonly<Record<string, readonly string[]>> = {
  satisfaction: [
    "Extremely dissatisfied",
    "Slightly dissatisfied",
    "Undecided",
    "Slightly satisfied",
    "Extremely satisfied",
  ],
  opponent_likeness: ["Extremely dislike", "Slightly dislike", "Undecided", "Slightly like", "Extremely like"],
};

export interface SideOutcome {
  /** 1..5 */
  readonly satisfaction: number;
  /** How much the other side is liked, 1..5. */
  readonly likeness: number;
  readonly points: number;
}

/** What each side of a casino dialogue said of it afterwards: agent first. */
export async function camped(from: string): Promise<Map<string, readonly [SideOutcome, SideOutcome]>> {
  return new Map((await camps(from)).map((c) => [c.id, [outcomeOf(c.camp, SIDES[0]), outcomeOf(c.camp, SIDES[1])]]));
}

/** The demo's calls as NDJSON, and what its generator meant to happen in each. */
export function demo(): { input: (folder: string) => Promise<Input>; truth: ReadonlyMap<string, DemoTruth> } {
  const made = generateDemo({ seed: 1, now: DEMO_DAY });
  return {
    input: (folder) =>
      ndjson(
        folder,
        made.map(({ call }) => call),
      ),
    truth: new Map(made.map(({ truth }) => [truth.call_id, truth])),
  };
}

async function ndjson(folder: string, calls: readonly object[]): Promise<Input> {
  const file = join(folder, "calls.ndjson");
  await writeFile(file, calls.map((c) => `${JSON.stringify(c)}\n`).join(""));
  return { file, args: [] };
}

function outcomeOf(camp: Camp, name: string): SideOutcome {
  const said = camp.participant_info[name]?.outcomes ?? {};
  const on = (scale: string) => {
    const at = (SCALES[scale] ?? []).indexOf(String(said[scale]));
    if (at < 0) throw new Error(`${scale}: ${said[scale]}`);
    return at + 1;
  };
  return { satisfaction: on("satisfaction"), likeness: on("opponent_likeness"), points: Number(said["points_scored"]) };
}
