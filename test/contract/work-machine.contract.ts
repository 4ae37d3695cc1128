/** The state machine of work, against a model of it: random commands of two workers, a clock, and whoever sends calls. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVERYTHING, type Scope } from "../../src/core/call.ts";
import { PRIORITY } from "../../src/ports/calls.ts";
import type { WorkItem } from "../../src/ports/work.ts";
import { type MakeStore, type TestStore, aCall, enriched } from "../support/sqlite-store.ts";
import { AGENT_OF, CALL_IDS, type ModelItem, WorkModel } from "../support/work-model.ts";

const SEED = 20_261_125;
/** A command takes a server some five times as long as a file. */
const RUNS = { sqlite: 150, postgres: 60 };
const COMMANDS = 120;

/** What has happened at least once over all runs, or the test says too little. */
const TRANSITIONS = [
  "accept accepted",
  "accept replayed",
  "replace created",
  "replace replaced",
  "replace while running",
  "reprocess",
  "reprocess while running",
  "reprocess nothing",
  "remove",
  "remove while running",
  "remove nothing",
  "take",
  "take nothing",
  "take after a lease was over",
  "take of the other worker's",
  "renew",
  "renew too late",
  "renew what is over, before anybody took it",
  "fail: later",
  "fail: dead",
  "fail: not held",
  "release",
  "release: not held",
  "save saved",
  "save stale",
  "save of what is over, before anybody took it",
  "redrive all",
  "redrive one",
  "redrive nothing",
  "requeue degraded",
] as const;
type Transition = (typeof TRANSITIONS)[number];

/** What a worker remembers of something it took, whoever holds it now. */
interface Handle {
  readonly item: ModelItem;
  readonly taken: WorkItem;
  readonly by: string;
}

interface State {
  readonly model: WorkModel;
  readonly handles: Handle[];
  readonly seen: (transition: Transition) => void;
}

type Command = fc.AsyncCommand<State, TestStore>;
type Run = (state: State, real: TestStore) => Promise<void>;

const numberOf = (work_nos: Map<ModelItem, number>, item: ModelItem, taken: WorkItem) => {
  const known = work_nos.get(item);
  work_nos.set(item, taken.work_no);
  return known ?? taken.work_no;
};

/** Everything that can be seen of work must be as the model has it. */
async function compare({ model }: State, real: TestStore): Promise<void> {
  // Asked at once: a store on a server answers no sooner one by one.
  const [depth, letters, ...states] = await Promise.all([
    real.work.depth(),
    real.work.dead(100, EVERYTHING),
    ...CALL_IDS.map((call_id) => real.state(call_id)),
  ]);
  for (const [i, call_id] of CALL_IDS.entries()) {
    const call = model.calls.get(call_id);
    const found = states[i] ?? null;
    expect(found && { revision: found.revision, state: found.state, error: found.error }).toEqual(
      call ? { revision: call.revision, state: call.state, error: call.error } : null,
    );
  }
  expect(depth).toEqual(model.depth());
  expect(letters.map(({ call_id, revision, attempts, error, at }) => [call_id, revision, attempts, error, at])).toEqual(
    model.dead().map((item) => [item.call_id, item.revision, item.attempts, item.error, item.run_after]),
  );
}

/** A command that is compared with the model after it, by what it returns and by everything that can be seen. */
function command(label: string, run: Run, check: (state: Readonly<State>) => boolean = () => true): Command {
  return {
    check,
    run: async (state, real) => {
      await run(state, real);
      await compare(state, real);
    },
    toString: () => label,
  };
}

const call = (call_id: string) => aCall(call_id, { agent_id: AGENT_OF[call_id] ?? "" });
const isRunning = ({ model }: State, call_id: string) => model.calls.get(call_id)?.state === "running";

const ids = fc.constantFrom(...CALL_IDS);
const workers = fc.constantFrom("w", "v");
const priorities = fc.constantFrom(...Object.values(PRIORITY));
const leases = fc.constantFrom(1_000, 5_000);
const scopes = fc.constantFrom<Scope>(EVERYTHING, EVERYTHING, { kind: "agent", agent_id: "bob" });

const accepts = fc.tuple(ids, priorities).map(([id, priority]) =>
  command(`accept ${id} p${priority}`, async (state, real) => {
    const status = state.model.accept(id, priority);
    expect(await real.calls.accept([call(id)], priority)).toMatchObject([
      { status, revision: state.model.calls.get(id)?.revision },
    ]);
    state.seen(`accept ${status}`);
  }),
);

const waits = fc.constantFrom(0, 1, 700, 1_000, 1_001, 5_001).map((ms) =>
  command(`wait ${ms}`, async (state, real) => {
    real.clock.now += ms;
    state.model.now += ms;
  }),
);

const redrives = fc.tuple(fc.option(ids, { freq: 2 }), scopes).map(([id, scope]) =>
  command(`redrive ${id ?? "all"} ${scope.kind}`, async (state, real) => {
    const n = state.model.redrive(id, scope);
    expect(await real.work.redrive(id, scope)).toBe(n);
    state.seen(n === 0 ? "redrive nothing" : id === null ? "redrive all" : "redrive one");
  }),
);

const senders = [
  fc.tuple(ids, priorities).map(([id, priority]) =>
    command(`replace ${id} p${priority}`, async (state, real) => {
      if (isRunning(state, id)) state.seen("replace while running");
      const status = state.model.replace(id, priority);
      expect(await real.calls.replace(call(id), priority)).toMatchObject({
        status,
        revision: state.model.calls.get(id)?.revision,
      });
      state.seen(`replace ${status}`);
    }),
  ),
  fc.tuple(ids, priorities).map(([id, priority]) =>
    command(`reprocess ${id} p${priority}`, async (state, real) => {
      if (isRunning(state, id)) state.seen("reprocess while running");
      const revision = state.model.reprocess(id, priority);
      const found = await real.calls.reprocess(id, EVERYTHING, priority);
      expect(found).toEqual(revision === null ? null : { revision });
      state.seen(revision === null ? "reprocess nothing" : "reprocess");
    }),
  ),
  ids.map((id) =>
    command(`remove ${id}`, async (state, real) => {
      if (isRunning(state, id)) state.seen("remove while running");
      const removed = state.model.remove(id);
      expect(await real.calls.remove(id, EVERYTHING)).toBe(removed);
      state.seen(removed ? "remove" : "remove nothing");
    }),
  ),
  fc.constantFrom(1, 10).map((limit) =>
    command(`requeue ${limit}`, async (state, real) => {
      const n = state.model.requeueDegraded(limit);
      expect(await real.work.requeueDegraded(limit)).toBe(n);
      if (n > 0) state.seen("requeue degraded");
    }),
  ),
];

const take = (work_nos: Map<ModelItem, number>) =>
  fc.tuple(workers, fc.integer({ min: 1, max: 3 }), leases).map(([worker, n, lease]) =>
    command(`${worker} takes ${n} for ${lease}`, async (state, real) => {
      const others = new Set(state.model.heldByOthers(worker));
      const { items, expired } = state.model.take(n, worker, lease);
      const taken = await real.work.take(n, worker, lease);
      expect(taken.map(({ call_id, revision, priority, attempts }) => [call_id, revision, priority, attempts])).toEqual(
        items.map((item) => [item.call_id, item.revision, item.priority, item.attempts]),
      );
      for (const [i, item] of items.entries()) {
        const got = taken[i] as WorkItem;
        expect(got.work_no).toBe(numberOf(work_nos, item, got));
        state.handles.push({ item, taken: got, by: worker });
      }
      state.seen(items.length > 0 ? "take" : "take nothing");
      if (expired > 0) state.seen("take after a lease was over");
      if (items.some((item) => others.has(item))) state.seen("take of the other worker's");
    }),
  );

/** A command on something that was taken, the latest most of the time, by who took it or, now and then, the other one. */
const onHandle = (
  label: string,
  run: (state: State, real: TestStore, handle: Handle, worker: string) => Promise<void>,
) =>
  fc.tuple(fc.constantFrom(true, true, true, false), fc.constantFrom(0, 0, 0, 1, 1, 2, 5)).map(([own, back]) =>
    command(
      `${own ? "who took" : "who did not take"} the last but ${back} ${label} it`,
      async (state, real) => {
        const handle = state.handles.at(-1 - (back % state.handles.length)) as Handle;
        const other = handle.by === "w" ? "v" : "w";
        await run(state, real, handle, own ? handle.by : other);
      },
      ({ handles }) => handles.length > 0,
    ),
  );

const holders = [
  onHandle("renews", async ({ model, seen }, real, { item, taken }, worker) => {
    const late = item.lease_until < model.now;
    const renewed = model.renew(item, worker, 1_000);
    expect(await real.work.renew([taken.work_no], worker, 1_000)).toEqual(renewed ? [taken.work_no] : []);
    seen(renewed ? "renew" : "renew too late");
    if (renewed && late) seen("renew what is over, before anybody took it");
  }),
  ...[null, 0, 700].map((pause) =>
    onHandle(pause === null ? "buries" : `fails for ${pause}`, async (state, real, { item, taken }, worker) => {
      const { model, seen } = state;
      const retry_at = pause === null ? null : model.now + pause;
      const error = `error ${model.events.length}`;
      const held = model.holds(item, worker);
      model.fail(item, worker, error, retry_at);
      await real.work.fail([{ work_no: taken.work_no, error, retry_at }], worker);
      seen(held ? (retry_at === null ? "fail: dead" : "fail: later") : "fail: not held");
    }),
  ),
  onHandle("releases", async ({ model, seen }, real, { item, taken }, worker) => {
    seen(model.holds(item, worker) ? "release" : "release: not held");
    model.release(item, worker);
    await real.work.release([taken.work_no], worker);
  }),
  ...(["enriched", "degraded"] as const).map((made) =>
    onHandle(`saves as ${made}`, async ({ model, seen }, real, { item, taken }, worker) => {
      const late = item.lease_until < model.now;
      const result = model.save(item, worker, made);
      const method = made === "enriched" ? "model" : "statistical";
      expect(await real.calls.saveEnrichment([enriched(taken, worker, { method })])).toEqual([result]);
      seen(`save ${result}`);
      if (result === "saved" && late) seen("save of what is over, before anybody took it");
    }),
  ),
];

/** Holds a Work adapter, together with the writes that make and drop work, to the model. */
export function workMachine(engine: keyof typeof RUNS, make: MakeStore): void {
  describe(`Work, as a state machine: ${engine}`, () => {
    let store: TestStore;
    beforeAll(async () => {
      store = await make();
    });
    afterAll(() => store.close());

    it("does what the model does, whatever two workers, the clock and senders do in whatever order", async () => {
      const happened = new Set<Transition>();
      const work_nos = new Map<ModelItem, number>();
      const takers = Array.from({ length: 6 }, () => take(work_nos));
      const all = [...senders, accepts, accepts, waits, waits, redrives, redrives, redrives, ...takers, ...holders];
      const commands = fc.commands<State, TestStore, false>(all, { maxCommands: COMMANDS, size: "max" });
      await fc.assert(
        fc.asyncProperty(commands, async (some) => {
          for (const call_id of CALL_IDS) await store.calls.remove(call_id, EVERYTHING);
          const from = await store.events.head();
          const model = new WorkModel(store.clock.now);
          const state = {
            model,
            handles: [],
            seen: (transition: Transition) => void happened.add(transition),
          };
          await fc.asyncModelRun(() => ({ model: state, real: store }), some);
          const { events } = await store.events.after(from, 1_000, EVERYTHING);
          expect(events.map((e) => `${e.type} ${e.call_id} ${e.revision}`)).toEqual(model.events);
          const sums = await store.rollups.agents({ scope: EVERYTHING, measures: ["customer_sentiment_score"] });
          const total = sums.reduce((n, s) => n + s.total_calls, 0);
          expect(total).toBe(model.calls.size);
        }),
        { seed: SEED, numRuns: RUNS[engine] },
      );
      expect(TRANSITIONS.filter((transition) => !happened.has(transition))).toEqual([]);
      expect(await store.rollups.rebuild(() => undefined)).toMatchObject({ drifted: 0 });
    }, 120_000);
  });
}
