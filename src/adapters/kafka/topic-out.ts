/** A Kafka topic that is written: one batch at a time, each acknowledged by all copies. */
import { Producer } from "@platformatic/kafka";
import type { OutMessage, TopicOut } from "../../ports/topics.ts";
import { clientOptions, ensureTopic, type KafkaServers, leave, SILENCE_MS, within } from "./connect.ts";

/** Brokers take a megabyte in one piece unless told otherwise. */
const PIECE_BYTES = 800_000;
/** What a message takes beside its key, value and headers. */
const FRAME_BYTES = 100;

export interface TopicOutOptions {
  readonly servers: KafkaServers;
  readonly topic: string;
  /** Of the topic, where it has to be made. */
  readonly configs?: Readonly<Record<string, string>>;
}

/** Connects with the first message. */
export function openTopicOut(options: TopicOutOptions): TopicOut {
  return new KafkaTopicOut(options);
}

class KafkaTopicOut implements TopicOut {
  readonly #options: TopicOutOptions;
  readonly #closing = new AbortController();
  #producer: Producer | null = null;

  constructor(options: TopicOutOptions) {
    this.#options = options;
  }

  async send(messages: readonly OutMessage[]): Promise<void> {
    try {
      const producer = (this.#producer ??= await this.#open());
      for (const piece of piecesOf(messages)) {
        const sent = piece.map(({ key, value, headers }) => ({
          topic: this.#options.topic,
          value,
          ...(key && { key }),
          ...(headers && { headers: bytesOf(headers) }),
        }));
        await within(2 * SILENCE_MS, producer.send({ messages: sent }), this.#closing.signal);
      }
    } catch (error) {
      // Which numbers the broker has seen of this producer is not known any more: a repeat takes new ones.
      await this.#drop();
      throw error;
    }
  }

  /** What is under way rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#drop();
  }

  async #drop(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    if (producer) await leave(producer);
  }

  async #open(): Promise<Producer> {
    const { servers, topic, configs } = this.#options;
    await ensureTopic(servers, topic, configs);
    const producer = new Producer({ ...clientOptions(servers), idempotent: true });
    producer.on("error", () => undefined);
    return producer;
  }
}

function* piecesOf(messages: readonly OutMessage[]): Generator<OutMessage[]> {
  let piece: OutMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (piece.length > 0 && bytes + size > PIECE_BYTES) {
      yield piece;
      piece = [];
      bytes = 0;
    }
    piece.push(message);
    bytes += size;
  }
  if (piece.length > 0) yield piece;
}

function sizeOf({ key, value, headers = {} }: OutMessage): number {
  const said = Object.entries(headers).reduce((sum, [name, text]) => sum + name.length + Buffer.byteLength(text), 0);
  return FRAME_BYTES + (key?.length ?? 0) + value.length + said;
}

function bytesOf(headers: Readonly<Record<string, string>>): Map<Buffer, Buffer> {
  return new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]));
}
