export interface Cached<T> {
  readonly value: T;
  /** Milliseconds since it was made. */
  readonly age_ms: number;
  /** Making it anew failed: this is the last one there was. */
  readonly stale: boolean;
}

export interface CacheRequest<T> {
  /** Route, query and scope: whoever may not see the same must not ask with the same key. */
  readonly key: string;
  /** Of what the value is made from; a value of another version is no hit. */
  readonly version: string;
  /** At most 2,000; what is kept expires up to a quarter earlier, so that not all expires at once. */
  readonly ttl_ms: number;
  /** The value must survive JSON. */
  readonly make: () => Promise<T>;
}

/** Figures for seconds; never words of calls. */
export interface Cache {
  /**
   * The value kept, or what `make` gives: asked many times at once for one key and version, it runs once. When it fails
   * with an AppError that is worth a retry, the last value of the key stands in, of whatever version, for ten minutes.
   */
  once<T>(request: CacheRequest<T>): Promise<Cached<T>>;
  close(): Promise<void>;
}
