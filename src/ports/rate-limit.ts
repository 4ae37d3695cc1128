interface Taken {
  readonly allowed: boolean;
  /** Left in this window. */
  readonly remaining: number;
  /** Until the window ends. */
  readonly reset_ms: number;
}

/** So many in a window that begins with the first of them, counted by name. */
export interface RateLimit {
  readonly limit: number;
  readonly window_s: number;
  take(name: string): Promise<Taken>;
}
