/** Which parts of a store are at the target, and which of them must be copied again. */
import {
  type CopiedPart,
  MOVE_FIRST,
  MOVE_KINDS,
  type MoveKind,
  type MoveMark,
  type MovePart,
  type TableSum,
} from "../ports/move.ts";

export class MoveParts {
  /** By kind, in order; no two overlap. */
  readonly #parts = new Map<MoveKind, CopiedPart[]>(MOVE_KINDS.map((kind) => [kind, []]));
  /** Copied and not compared since. */
  readonly #unproven = new Set<CopiedPart>();

  constructor(there: readonly CopiedPart[]) {
    for (const part of there) this.put(part);
  }

  /** A part that was copied. */
  put(part: CopiedPart): void {
    this.#of(part.kind).splice(this.#place(part.kind, part.to), 0, part);
    this.#unproven.add(part);
  }

  drop(part: MovePart): void {
    const parts = this.#of(part.kind);
    const [known] = parts.splice(this.#place(part.kind, part.to), 1);
    if (known) this.#unproven.delete(known);
  }

  proven(part: CopiedPart): void {
    this.#unproven.delete(part);
  }

  get unproven(): CopiedPart[] {
    return [...this.#unproven];
  }

  /** Parts with a mark in them. */
  touched(marks: readonly MoveMark[]): CopiedPart[] {
    const found = marks.flatMap(({ kind, key }) => {
      const part = this.#of(kind)[this.#place(kind, key)];
      return part && part.from < key ? [part] : [];
    });
    return [...new Set(found)];
  }

  /** What is not there of the keys up to `to`. */
  gaps(to: Readonly<Record<MoveKind, number>>): MovePart[] {
    return MOVE_KINDS.flatMap((kind) => {
      const gaps: MovePart[] = [];
      let at = MOVE_FIRST[kind];
      for (const part of this.#of(kind)) {
        if (part.from > at) gaps.push({ kind, from: at, to: part.from });
        at = part.to;
      }
      if (to[kind] > at) gaps.push({ kind, from: at, to: to[kind] });
      return gaps;
    });
  }

  /** Of all parts together, by table. */
  totals(): Record<string, TableSum> {
    const totals: Record<string, TableSum> = {};
    for (const part of [...this.#parts.values()].flat()) {
      for (const [table, { rows, sum }] of Object.entries(part.sums)) {
        const known = totals[table] ?? { rows: 0, sum: 0n };
        totals[table] = { rows: known.rows + rows, sum: known.sum + sum };
      }
    }
    return totals;
  }

  #of(kind: MoveKind): CopiedPart[] {
    return this.#parts.get(kind) as CopiedPart[];
  }

  /** Where the first part is that ends at `key` or after it. */
  #place(kind: MoveKind, key: number): number {
    const parts = this.#of(kind);
    let [low, high] = [0, parts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((parts[middle] as CopiedPart).to < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
