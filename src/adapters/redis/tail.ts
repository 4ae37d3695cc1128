import type { EventRow } from "../../ports/events.ts";

/** The newest events are kept so far: everybody who follows asks for the same few. */
const KEPT = 1_000;

/** The newest events that came, without a gap. */
export class Tail {
  #rows: EventRow[] = [];
  #seen: number;

  /** Begins behind `seen`. */
  constructor(seen: number) {
    this.#seen = seen;
  }

  /** The seq of the last one. */
  get seen(): number {
    return this.#seen;
  }

  /** The first seq it holds, or will hold. */
  get first(): number {
    return this.#rows[0]?.seq ?? this.#seen + 1;
  }

  /** Takes in what follows; older ones are passed over. False, and nothing more is taken in, where one is missing. */
  take(rows: readonly EventRow[]): boolean {
    for (const row of rows) {
      if (row.seq <= this.#seen) continue;
      if (row.seq !== this.#seen + 1) return false;
      this.#rows.push(row);
      this.#seen = row.seq;
    }
    if (this.#rows.length > 2 * KEPT) this.#rows = this.#rows.slice(-KEPT);
    return true;
  }

  /** What follows `seq`, at most `limit`; null where nothing is known here, which is not to say that there is nothing. */
  after(seq: number, limit: number): EventRow[] | null {
    if (seq < this.first - 1 || seq >= this.#seen) return null;
    const from = seq - this.first + 1;
    return this.#rows.slice(from, from + limit);
  }
}
