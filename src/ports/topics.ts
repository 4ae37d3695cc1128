/** Topics of a broker: events go out to others by one, calls come in from others by another. */

export interface OutMessage {
  /** Messages of one key keep their order. */
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A topic that this process writes. */
export interface TopicOut {
  /**
   * Resolves when the broker has all of them for good. Rejects when that is not known: any of them may be there, also once
   * more if they are sent again, but never one of them before another of its key that came first here.
   */
  send(messages: readonly OutMessage[]): Promise<void>;
  close(): Promise<void>;
}

export interface InMessage {
  /** Its place in its part, ascending, not dense. */
  readonly offset: number;
  readonly key: Buffer | null;
  /** Empty where there is none. */
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** What follows in one part of a topic. */
export interface InBatch {
  readonly part: string;
  readonly messages: readonly InMessage[];
  /** Where reading goes on: behind the last message, and behind what is none of the sender's. */
  readonly next: number;
  /** Where the part ends for now. */
  readonly end: number;
  /** The broker did not have the place that was asked for: what was between is gone there. */
  readonly jumped: boolean;
}

/** A topic whose parts the processes that read it share. */
export interface TopicIn {
  /** The parts that are this process's now, by names that no other topic will ever have; the names change as readers come and
   *  go, and for a moment two may hold the same one. @throws where the broker does not answer */
  parts(): Promise<readonly string[]>;
  /** What follows these places (null: from the beginning), after a second at most. @throws where the broker does not answer */
  read(places: ReadonlyMap<string, number | null>): Promise<InBatch[]>;
  /** Lets whoever watches the topic at the broker know how far it has been read. Never rejects. */
  tell(places: ReadonlyMap<string, number>): Promise<void>;
  close(): Promise<void>;
}

/** Reads a topic from its beginning to where it ends when asked. */
export interface TopicHistory {
  /** Each message and the number of its part to `take`, those of a part in order; the number of messages. @throws where the
   *  broker does not answer */
  readAll(take: (message: InMessage, part: number) => void): Promise<number>;
  close(): Promise<void>;
}
