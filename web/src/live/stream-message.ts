/** What every message of a stream has; the rest depends on its type. */
export interface StreamMessage {
  readonly type: string;
  readonly seq?: number;
  /** What seq is of, where that can change; given back with it. */
  readonly of?: string;
}
