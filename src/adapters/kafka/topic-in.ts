/** A Kafka topic that is read by a group; its members agree by way of the broker who reads which partition. */
import { Consumer } from "@platformatic/kafka";
import type { InBatch, TopicIn } from "../../ports/topics.ts";
import { clientOptions, ensureTopic, type KafkaServers, leave, SILENCE_MS, within } from "./connect.ts";
import { describeTopic, edges, fetchFrom, partitionOf, partNameOf } from "./fetch.ts";

/** A member that is not heard of for so long has left the group: another one takes over its partitions. */
const SESSION_MS = 6_000;
const REBALANCE_MS = 15_000;
const HEARTBEAT_MS = 1_000;

export interface TopicInOptions {
  readonly servers: KafkaServers;
  readonly topic: string;
  /** All processes of one store, and nobody else. */
  readonly group: string;
}

/** Connects when it is first asked. */
export function openTopicIn(options: TopicInOptions): TopicIn {
  return new KafkaTopicIn(options);
}

class KafkaTopicIn implements TopicIn {
  readonly #options: TopicInOptions;
  readonly #closing = new AbortController();
  #consumer: Consumer | null = null;
  /** Why the group was lost since it was joined. */
  #lost: Error | null = null;

  constructor(options: TopicInOptions) {
    this.#options = options;
  }

  parts(): Promise<readonly string[]> {
    return this.#guard(async (consumer, topic) => {
      const { partitions = [] } = consumer.assignments?.find((assignment) => assignment.topic === topic) ?? {};
      if (partitions.length === 0) return [];
      const described = await describeTopic(consumer, topic);
      return partitions.map((partition) => partNameOf(described, partition));
    });
  }

  read(places: ReadonlyMap<string, number | null>): Promise<InBatch[]> {
    return this.#guard(async (consumer, topic) => {
      const oldest = [...places.values()].includes(null) ? await edges(consumer, topic, "oldest") : [];
      const numbered = [...places].map(([part, place]): [number, number] => {
        const partition = partitionOf(part);
        return [partition, place ?? oldest[partition] ?? 0];
      });
      return fetchFrom(consumer, topic, new Map(numbered));
    });
  }

  async tell(places: ReadonlyMap<string, number>): Promise<void> {
    const { topic } = this.#options;
    const offsets = [...places].map(([part, offset]) => ({
      topic,
      partition: partitionOf(part),
      offset: BigInt(offset),
      leaderEpoch: -1,
    }));
    if (this.#consumer === null || offsets.length === 0) return;
    await within(SILENCE_MS, this.#consumer.commit({ offsets })).catch(() => undefined);
  }

  /** What is under way rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#drop();
  }

  async #drop(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = null;
    if (consumer) await leave(consumer);
  }

  /** Runs `work` as a member of the group. After a failure the next one joins anew. */
  async #guard<T>(work: (consumer: Consumer, topic: string) => Promise<T>): Promise<T> {
    try {
      const consumer = (this.#consumer ??= await this.#join());
      if (this.#lost) throw this.#lost;
      return await within(2 * SILENCE_MS, work(consumer, this.#options.topic), this.#closing.signal);
    } catch (error) {
      await this.#drop();
      throw error;
    }
  }

  async #join(): Promise<Consumer> {
    const { servers, topic, group } = this.#options;
    await ensureTopic(servers, topic);
    const consumer = new Consumer({
      ...clientOptions(servers),
      groupId: group,
      autocommit: false,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: HEARTBEAT_MS,
      heartbeatStallTimeout: SESSION_MS,
      // The answer to a join may wait for the others.
      requestTimeout: REBALANCE_MS + SILENCE_MS,
    });
    this.#lost = null;
    const lose = (error: unknown): void => {
      if (this.#consumer === consumer || this.#consumer === null) this.#lost = error as Error;
    };
    consumer.on("error", lose);
    consumer.on("consumer:heartbeat:stalled", () => lose(new Error("Kafka has not heard of this reader")));
    consumer.topics.track(topic);
    try {
      await within(REBALANCE_MS + SILENCE_MS, consumer.joinGroup({}), this.#closing.signal);
    } catch (error) {
      await leave(consumer);
      throw error;
    }
    return consumer;
  }
}
