/**
 * How late the event loop is, seen from inside one of its turns. A turn takes in all that came while the turn before ran,
 * so a turn that takes long has a queue before it: what it reaches late has waited at least since it began.
 */
export interface LoopWatch {
  /** True for a request that this turn reaches late, when turn after turn has been long. Called once a request. */
  late(): boolean;
  stop(): void;
}

export interface LoopWatchOptions {
  /** What one turn may take, ms. */
  readonly budget_ms: number;
  /** So many a turn are never late: a few busy clients are no overload, however slow the machine is. */
  readonly least: number;
  /** For so long turns must have been longer than that: one stop for a large body is no overload. */
  readonly patience_ms: number;
  /** For so long after an overload the next one needs no patience: it is the same one that comes and goes. */
  readonly memory_ms: number;
  /** Milliseconds that never jump back. */
  readonly now?: () => number;
}

export function watchLoop(options: LoopWatchOptions): LoopWatch {
  const { budget_ms, least, patience_ms, memory_ms, now = () => performance.now() } = options;
  /** Requests of this turn that were not late. */
  let taken = 0;
  /** When this turn reached its first request. */
  let began: number | null = null;
  /** When the first long turn of an unbroken row began. */
  let longSince: number | null = null;
  /** When the last turn with requests ended. */
  let ended = 0;
  let lastLate = Number.NEGATIVE_INFINITY;
  let immediate: NodeJS.Immediate;

  function turnEnds(): void {
    if (began !== null) {
      ended = now();
      if (ended - began > budget_ms) longSince ??= began;
      else longSince = null;
      began = null;
    }
    next();
  }
  function next(): void {
    // Runs after the sockets of a turn were read; not referenced, it keeps the loop from neither waiting nor ending.
    immediate = setImmediate(turnEnds).unref();
  }
  next();

  return {
    late() {
      const at = now();
      if (began === null) {
        began = at;
        taken = 0;
        // Nothing was waiting for a while: no queue is left of what was before.
        if (at - ended > budget_ms) longSince = null;
      }
      const overloaded = at - lastLate < memory_ms || (longSince !== null && at - longSince > patience_ms);
      if (overloaded && taken >= least && at - began > budget_ms) {
        lastLate = at;
        return true;
      }
      taken++;
      return false;
    },
    stop: () => clearImmediate(immediate),
  };
}
