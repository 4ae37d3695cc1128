/** Keeps, of a stream of scored slots, all that may be among the k best; ties and near ties stay in. */
export class Best {
  /** Scores below this cannot matter any more. */
  least = -Infinity;
  slots: Uint32Array;
  scores: Float32Array;
  size = 0;
  readonly #k: number;
  readonly #margin: number;
  #compactAt: number;

  /** `margin`: twice the largest error of a score, in its unit. */
  constructor(k: number, margin: number) {
    this.#k = k;
    this.#margin = margin;
    this.#compactAt = 2 * k + 256;
    this.slots = new Uint32Array(4 * k + 8_192);
    this.scores = new Float32Array(this.slots.length);
  }

  /** Takes `n` pairs (slot u32, score f32) from the kernel's output. */
  add(slots: Uint32Array, scores: Float32Array, n: number): void {
    if (this.size + n > this.slots.length) this.#grow(this.size + n);
    for (let i = 0; i < n; i++) {
      this.slots[this.size + i] = slots[2 * i] as number;
      this.scores[this.size + i] = scores[2 * i] as number;
    }
    this.size += n;
    if (this.size >= this.#compactAt) this.#compact();
  }

  /** The slots kept, in no order. */
  finish(): Uint32Array {
    this.#compact();
    return this.slots.slice(0, this.size);
  }

  #compact(): void {
    if (this.size > this.#k) {
      // Ascending: the k-th best is k from the end.
      const sorted = this.scores.subarray(0, this.size).toSorted();
      this.least = (sorted[this.size - this.#k] as number) - this.#margin;
      let kept = 0;
      for (let i = 0; i < this.size; i++) {
        const score = this.scores[i] as number;
        if (score < this.least) continue;
        this.slots[kept] = this.slots[i] as number;
        this.scores[kept++] = score;
      }
      this.size = kept;
    }
    // Where ties keep nearly everything, wait for as many again: the work stays linear.
    this.#compactAt = Math.max(this.#compactAt, 2 * this.size);
  }

  #grow(least: number): void {
    const slots = new Uint32Array(Math.max(least, 2 * this.slots.length));
    const scores = new Float32Array(slots.length);
    slots.set(this.slots.subarray(0, this.size));
    scores.set(this.scores.subarray(0, this.size));
    this.slots = slots;
    this.scores = scores;
  }
}
