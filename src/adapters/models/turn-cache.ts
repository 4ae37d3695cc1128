/** Vectors of short turns that come again and again ("Okay.", "Thank you very much."), by their exact text. */

export interface CachedTurn {
  readonly vector: Float32Array;
  readonly sentiment: number;
}

const LONGEST = 64;
/** About 1.6 KB each. */
const ENTRIES = 8192;

export class TurnCache {
  readonly #turns = new Map<string, CachedTurn>();
  hits = 0;
  misses = 0;

  get(text: string): CachedTurn | undefined {
    const found = this.#turns.get(text);
    if (!found) {
      this.misses++;
      return undefined;
    }
    this.hits++;
    // Moved to the end: the first of a Map is the one unused for longest.
    this.#turns.delete(text);
    this.#turns.set(text, found);
    return found;
  }

  put(text: string, turn: CachedTurn): void {
    if (text.length > LONGEST) return;
    this.#turns.set(text, turn);
    if (this.#turns.size > ENTRIES) this.#turns.delete(this.#turns.keys().next().value as string);
  }

  clear(): void {
    this.#turns.clear();
  }

  get size(): number {
    return this.#turns.size;
  }
}
