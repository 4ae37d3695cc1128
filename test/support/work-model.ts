/** What the state machine of work must do, in the simplest words: the model that a store is compared with. */
import type { Scope } from "../../src/core/call.ts";
import { PRIORITY, type Priority } from "../../src/ports/calls.ts";

export const AGENT_OF: Readonly<Record<string, string>> = { a: "ann", b: "bob", c: "ann" };
export const CALL_IDS = Object.keys(AGENT_OF);

export interface ModelCall {
  readonly call_id: string;
  revision: number;
  state: "pending" | "running" | "enriched" | "degraded" | "dead";
  error: string | null;
}

export interface ModelItem {
  /** Counts up: the order of work_no. */
  readonly order: number;
  readonly call_id: string;
  readonly revision: number;
  readonly priority: Priority;
  readonly created_at: number;
  state: "ready" | "running" | "dead";
  attempts: number;
  run_after: number;
  lease_until: number;
  worker: string | null;
  error: string | null;
}

export class WorkModel {
  now: number;
  /** In the order in which they were made. */
  readonly calls = new Map<string, ModelCall>();
  readonly events: string[] = [];
  #items: ModelItem[] = [];
  #orders = 0;

  constructor(now: number) {
    this.now = now;
  }

  accept(call_id: string, priority: Priority): "accepted" | "replayed" {
    if (this.calls.has(call_id)) return "replayed";
    this.calls.set(call_id, { call_id, revision: 1, state: "pending", error: null });
    this.events.push(`call.accepted ${call_id} 1`);
    this.#add(call_id, priority);
    return "accepted";
  }

  replace(call_id: string, priority: Priority): "created" | "replaced" {
    const call = this.calls.get(call_id);
    if (!call) {
      this.accept(call_id, priority);
      return "created";
    }
    call.revision++;
    this.events.push(`call.replaced ${call_id} ${call.revision}`);
    this.#again(call, priority);
    return "replaced";
  }

  reprocess(call_id: string, priority: Priority): number | null {
    const call = this.calls.get(call_id);
    if (!call) return null;
    this.#again(call, priority);
    return call.revision;
  }

  remove(call_id: string): boolean {
    const call = this.calls.get(call_id);
    if (!call) return false;
    this.calls.delete(call_id);
    this.#drop(call_id);
    this.events.push(`call.deleted ${call_id} ${call.revision}`);
    return true;
  }

  /** Leases that are over become ready first; then the best of what is due. */
  take(n: number, worker: string, lease_ms: number): { items: ModelItem[]; expired: number } {
    const over = this.#items.filter((item) => item.state === "running" && item.lease_until < this.now);
    for (const item of over) this.#ready(item);
    const items = this.#items
      .filter((item) => item.state === "ready" && item.run_after <= this.now)
      .toSorted((a, b) => a.priority - b.priority || a.run_after - b.run_after || a.order - b.order)
      .slice(0, n);
    for (const item of items) {
      Object.assign(item, { state: "running", worker, lease_until: this.now + lease_ms, attempts: item.attempts + 1 });
      this.#callOf(item).state = "running";
    }
    return { items, expired: over.length };
  }

  holds(item: ModelItem, worker: string): boolean {
    return this.#items.includes(item) && item.state === "running" && item.worker === worker;
  }

  heldByOthers(worker: string): ModelItem[] {
    return this.#items.filter((item) => item.state === "running" && item.worker !== worker);
  }

  renew(item: ModelItem, worker: string, lease_ms: number): boolean {
    if (!this.holds(item, worker)) return false;
    item.lease_until = this.now + lease_ms;
    return true;
  }

  fail(item: ModelItem, worker: string, error: string, retry_at: number | null): void {
    if (!this.holds(item, worker)) return;
    item.error = error;
    if (retry_at === null) {
      Object.assign(item, { state: "dead", worker: null, run_after: this.now });
      Object.assign(this.#callOf(item), { state: "dead", error });
    } else {
      this.#ready(item);
      item.run_after = retry_at;
    }
  }

  release(item: ModelItem, worker: string): void {
    if (!this.holds(item, worker)) return;
    this.#ready(item);
    item.attempts--;
  }

  save(item: ModelItem, worker: string, state: "enriched" | "degraded"): "saved" | "stale" {
    if (!this.holds(item, worker)) return "stale";
    Object.assign(this.#callOf(item), { state, error: null });
    this.#drop(item.call_id);
    this.events.push(`call.enriched ${item.call_id} ${item.revision}`);
    return "saved";
  }

  redrive(call_id: string | null, scope: Scope): number {
    const dead = this.dead().filter(
      (item) =>
        (call_id === null || item.call_id === call_id) &&
        (scope.kind !== "agent" || AGENT_OF[item.call_id] === scope.agent_id),
    );
    for (const item of dead) {
      Object.assign(item, { state: "ready", attempts: 0, run_after: this.now, error: null });
      Object.assign(this.#callOf(item), { state: "pending", error: null });
    }
    return dead.length;
  }

  requeueDegraded(limit: number): number {
    const degraded = [...this.calls.values()].filter((call) => call.state === "degraded").slice(0, limit);
    for (const call of degraded) this.#again(call, PRIORITY.recalculation);
    return degraded.length;
  }

  /** Newest first. */
  dead(): ModelItem[] {
    return this.#items.filter((item) => item.state === "dead").toSorted((a, b) => b.order - a.order);
  }

  depth(): { ready: number; running: number; dead: number; oldest_ms: number } {
    const count = (state: ModelItem["state"]) => this.#items.filter((item) => item.state === state).length;
    // Of each priority the one that is next.
    const next = Object.values(PRIORITY).flatMap((priority) =>
      this.#items
        .filter((item) => item.state === "ready" && item.priority === priority)
        .toSorted((a, b) => a.run_after - b.run_after || a.order - b.order)
        .slice(0, 1),
    );
    const oldest_ms = next.length === 0 ? 0 : this.now - Math.min(...next.map((item) => item.created_at));
    return { ready: count("ready"), running: count("running"), dead: count("dead"), oldest_ms };
  }

  #callOf(item: ModelItem): ModelCall {
    return this.calls.get(item.call_id) as ModelCall;
  }

  #ready(item: ModelItem): void {
    Object.assign(item, { state: "ready", worker: null });
    this.#callOf(item).state = "pending";
  }

  #again(call: ModelCall, priority: Priority): void {
    Object.assign(call, { state: "pending", error: null });
    this.#drop(call.call_id);
    this.#add(call.call_id, priority);
  }

  #add(call_id: string, priority: Priority): void {
    this.#items.push({
      order: ++this.#orders,
      call_id,
      revision: this.calls.get(call_id)?.revision ?? 0,
      priority,
      created_at: this.now,
      state: "ready",
      attempts: 0,
      run_after: this.now,
      lease_until: 0,
      worker: null,
      error: null,
    });
  }

  #drop(call_id: string): void {
    this.#items = this.#items.filter((item) => item.call_id !== call_id);
  }
}
