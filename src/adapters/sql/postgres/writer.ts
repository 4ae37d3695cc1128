/** Commands over PostgreSQL: accepted calls and saved enrichments in groups, everything else a transaction each. */
import { AppError } from "../../../errors.ts";
import type { RequestKey } from "../../../ports/idempotency.ts";
import type { CommandName, Input, KeyedName, OnceAnswer, Output, SqlResult } from "../commands.ts";
import type { Writes } from "../engine.ts";
import { INSERT_JOB, jobValues } from "../write-jobs.ts";
import { lacksPartition, storeFault } from "./fault.ts";
import { Lane, type LaneLimits, type Settled } from "./lane.ts";
import { acceptFrom, acceptOneByOne, acceptRows } from "./write-accept.ts";
import { erase, purge, remove, replace, reprocess } from "./write-calls.ts";
import { saveAll } from "./write-enrichment.ts";
import { pruneEvents } from "./write-events.ts";
import { appendLive, endLive, saveLive, startLive } from "./write-live.ts";
import { claimKeys, keepOutcomes, nameOf, once, type Outcome, pruneKeys } from "./write-once.ts";
import { rollupsCompare, rollupsFlip, rollupsRecount, rollupsStart, rollupsSweep } from "./write-rollups.ts";
import { clockWentBack, fail, redrive, release, renew, requeueDegraded, take } from "./write-work.ts";
import { type Write, type WriteDeps, writing } from "./write.ts";

/** What SQLite alone needs: an index for settled calls, parts of the full text, pages to give back. */
type Ours = Exclude<CommandName, "settle" | "dropWords" | "giveBack" | "mirror">;
type Single = Exclude<Ours, "accept" | "save">;

type Handlers = { [K in Single]: (write: Write, input: Input<K>) => Promise<Output<K>> };

const HANDLERS: Handlers = {
  acceptFrom,
  replace,
  reprocess,
  remove,
  erase,
  purge,
  take,
  renew,
  fail,
  release,
  clockWentBack,
  requeueDegraded,
  redrive,
  startLive,
  appendLive,
  endLive,
  saveLive,
  pruneEvents,
  pruneKeys,
  rollupsStart,
  rollupsRecount,
  rollupsCompare,
  rollupsFlip,
  rollupsSweep,
  async beginJob(write, { job }) {
    await write.run(`${INSERT_JOB} NOTHING`, ...jobValues(job));
    return job;
  },
  async sql(write, { statements }) {
    const results: SqlResult[] = [];
    for (const { sql, params } of statements) {
      if (/\bRETURNING\b/.test(sql)) {
        const rows = await write.all<Record<string, unknown>>(sql, ...params);
        results.push({ changes: rows.length, rows });
      } else results.push({ changes: await write.run(sql, ...params), rows: [] });
    }
    return results;
  },
};

/** While the server writes one group to disk it can work on another. */
const ACCEPTS: LaneLimits = { rows: 1_000, groups: 2 };
const SAVES: LaneLimits = { rows: 1_000, groups: 1 };

interface AcceptCommand {
  readonly input: Input<"accept">;
  readonly key: RequestKey | null;
}

export class PostgresWriter implements Writes {
  readonly #deps: WriteDeps;
  readonly #logged: () => void;
  readonly #accepts: Lane<AcceptCommand>;
  readonly #saves: Lane<Input<"save">>;
  readonly #single = new Set<{ readonly since: number; readonly done: Promise<unknown> }>();
  #closed = false;

  /** `logged` is called after every commit that added events. */
  constructor(deps: WriteDeps, logged: () => void) {
    this.#deps = deps;
    this.#logged = logged;
    this.#accepts = new Lane(ACCEPTS, (group) => this.#accept(group));
    this.#saves = new Lane(SAVES, (group) => this.#save(group));
  }

  /** How long the oldest command has waited, ms; 0 if none waits. */
  oldest(): number {
    const singles = [...this.#single].map(({ since }) => since);
    const all = [this.#accepts.oldest(), this.#saves.oldest(), ...singles].filter((since) => since !== null);
    return all.length === 0 ? 0 : performance.now() - Math.min(...all);
  }

  async run<K extends CommandName>(name: K, given: Omit<Input<K>, "now">, now: number): Promise<Output<K>> {
    const input = { ...given, now } as unknown;
    this.#refuseClosed();
    if (name === "accept") return this.#pushAccept<Output<K>>(input as Input<"accept">, null);
    if (name === "save") {
      const save = input as Input<"save">;
      return this.#saves.push<Output<K>>(save, save.batch.length);
    }
    if (name === "acceptFrom") await this.#deps.partitions.ensure(now);
    const handler = this.#handler(name);
    return (await this.#alone(name, (write) => handler(write, input))) as Output<K>;
  }

  async runOnce<K extends KeyedName>(
    key: RequestKey,
    name: K,
    given: Omit<Input<K>, "now">,
    now: number,
  ): Promise<OnceAnswer<Output<K>>> {
    const input = { ...given, now } as Input<KeyedName>;
    this.#refuseClosed();
    if (name === "accept") return this.#pushAccept<OnceAnswer<Output<K>>>(input as Input<"accept">, key);
    const handler = this.#handler(name);
    const answer = await this.#alone(name, (write) => once(write, { name, input, key }, () => handler(write, input)));
    return answer as OnceAnswer<Output<K>>;
  }

  /** Finishes what was sent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([
      this.#accepts.idle(),
      this.#saves.idle(),
      Promise.allSettled([...this.#single].map(({ done }) => done)),
    ]);
  }

  #refuseClosed(): void {
    if (this.#closed) throw new AppError("shutting_down");
  }

  #handler(name: CommandName): (write: Write, input: unknown) => Promise<unknown> {
    const handler = HANDLERS[name as Single] as ((write: Write, input: unknown) => Promise<unknown>) | undefined;
    if (!handler) throw new Error(`${name} is no command of this engine`);
    return handler;
  }

  #pushAccept<T>(input: Input<"accept">, key: RequestKey | null): Promise<T> {
    return this.#accepts.push<T>({ input, key }, input.rows.length);
  }

  /** One command in a transaction of its own. Maintenance may take long by its nature, and is not what others wait for. */
  async #alone<T>(name: CommandName, work: (write: Write) => Promise<T>): Promise<T> {
    const done = this.#writing(work);
    if (/^(rollups|prune|purge)/.test(name)) return done;
    const entry = { since: performance.now(), done };
    this.#single.add(entry);
    try {
      return await done;
    } finally {
      this.#single.delete(entry);
    }
  }

  async #writing<T>(work: (write: Write) => Promise<T>): Promise<T> {
    const { partitions } = this.#deps;
    try {
      return await writing(this.#deps, this.#logged, work);
    } catch (cause) {
      if (!lacksPartition(cause)) throw cause;
      partitions.forget();
      await partitions.ensure(Date.now());
      return writing(this.#deps, this.#logged, work);
    }
  }

  async #accept(group: readonly AcceptCommand[]): Promise<Settled[]> {
    for (const now of new Set(group.map(({ input }) => input.now))) await this.#deps.partitions.ensure(now);
    return inOneOrEach(
      group,
      (all) => this.#writing((write) => acceptGroup(write, all)),
      (one) => this.#writing((write) => acceptCarefully(write, one)),
    );
  }

  async #save(group: readonly Input<"save">[]): Promise<Settled[]> {
    const saved = (some: readonly Input<"save">[]) =>
      this.#writing(async (write): Promise<Settled[]> => {
        const items = some.flatMap(({ batch, now }) => batch.map((item) => ({ item, now })));
        const results = await saveAll(write, items);
        let at = 0;
        return some.map(({ batch }) => ({ value: results.slice(at, (at += batch.length)) }));
      });
    return inOneOrEach(group, saved, async (one) => (await saved([one]))[0] as Settled);
  }
}

/** The group as one transaction; where one of its commands ends that, each by itself. A fault of the server ends them all. */
async function inOneOrEach<C>(
  group: readonly C[],
  whole: (group: readonly C[]) => Promise<Settled[]>,
  each: (command: C) => Promise<Settled>,
): Promise<Settled[]> {
  try {
    return await whole(group);
  } catch (cause) {
    if (storeFault(cause)) throw cause;
  }
  const settled: Settled[] = [];
  for (const command of group) settled.push(await each(command).catch((error: unknown) => ({ error })));
  return settled;
}

async function acceptGroup(write: Write, group: readonly AcceptCommand[]): Promise<Settled[]> {
  const names = new Set<string>();
  // Of the same key one: the others find out what came of it when that has been kept.
  const later = new Set(group.filter(({ key }) => key !== null && names.size === names.add(nameOf(key)).size));
  const claims = group.flatMap((command) =>
    command.key === null || later.has(command) ? [] : [{ key: command.key, now: command.input.now }],
  );
  const known = await claimKeys(write, claims);
  const answerOf = ({ key }: AcceptCommand) => (key === null ? undefined : known.get(nameOf(key)));
  const fresh = group.filter((command) => !later.has(command) && answerOf(command) === undefined);
  const items = fresh.flatMap(({ input: { rows, priority, now } }) => rows.map((row) => ({ row, priority, now })));
  const results = await acceptRows(write, items);
  const outcomes: Outcome[] = [];
  let at = 0;
  const settled = group.map((command): Settled => {
    if (later.has(command)) return "later";
    const answer = answerOf(command);
    if (answer) return { value: answer };
    const { input, key } = command;
    const value = results.slice(at, (at += input.rows.length));
    if (key === null) return { value };
    outcomes.push({ key, name: "accept", input, value });
    return { value: { status: "done", replayed: false, value } };
  });
  await keepOutcomes(write, outcomes);
  return settled;
}

async function acceptCarefully(write: Write, { input, key }: AcceptCommand): Promise<Settled> {
  if (key === null) return { value: await acceptOneByOne(write, input) };
  return { value: await once(write, { name: "accept", input, key }, () => acceptOneByOne(write, input)) };
}
