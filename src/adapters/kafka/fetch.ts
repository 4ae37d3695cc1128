/** Reading parts of a topic from given places, whatever a group has committed. */
import { type ClusterMetadata, type Consumer, findErrorBy } from "@platformatic/kafka";
import type { InBatch, InMessage } from "../../ports/topics.ts";
import { SILENCE_MS, within } from "./connect.ts";

/** How long a broker waits for the first message. */
const WAIT_MS = 500;
const BYTES = 4_000_000;
const NEWEST = -1n;
const OLDEST = -2n;
/** Set in the attributes of a batch that is about a transaction, and not from a sender. */
const CONTROL = 0b100000;

type Topic = NonNullable<ReturnType<ClusterMetadata["topics"]["get"]>>;
type FetchedPartition = Awaited<ReturnType<Consumer["fetch"]>>["responses"][number]["partitions"][number];

/** The topic as the brokers have it. @throws where it is not there */
export async function describeTopic(consumer: Consumer, name: string): Promise<Topic> {
  const asked = consumer.metadata({ topics: [name] });
  const topic = (await within(SILENCE_MS, asked)).topics.get(name);
  if (topic === undefined) throw new Error(`Kafka has no topic ${name}`);
  return topic;
}

/** Where each part begins, or ends. */
export async function edges(consumer: Consumer, name: string, which: "oldest" | "newest"): Promise<number[]> {
  const asked = consumer.listOffsets({ topics: [name], timestamp: which === "oldest" ? OLDEST : NEWEST });
  const offsets = (await within(SILENCE_MS, asked)).get(name) ?? [];
  return offsets.map(Number);
}

/** What follows these places (partition -> offset); partitions without news are left out. */
export async function fetchFrom(
  consumer: Consumer,
  name: string,
  places: ReadonlyMap<number, number>,
): Promise<InBatch[]> {
  const topic = await describeTopic(consumer, name);
  const byLeader = Map.groupBy(places, ([partition]) => topic.partitions[partition]?.leader ?? -1);
  const found = await Promise.all(
    [...byLeader].map(([leader, some]) => fetchAt(consumer, { name, topic, leader, places: new Map(some) })),
  );
  return found.flat();
}

async function fetchAt(
  consumer: Consumer,
  asked: { name: string; topic: Topic; leader: number; places: ReadonlyMap<number, number> },
): Promise<InBatch[]> {
  const { name, topic, leader, places } = asked;
  const partitions = [...places].map(([partition, offset]) => ({
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: -1,
    partitionMaxBytes: BYTES,
  }));
  const request = { node: leader, maxWaitTime: WAIT_MS, maxBytes: BYTES, topics: [{ topicId: topic.id, partitions }] };
  try {
    const { responses } = await within(SILENCE_MS, consumer.fetch(request));
    return responses.flatMap((response) =>
      response.partitions.flatMap((partition) => {
        const place = places.get(partition.partitionIndex);
        return place === undefined ? [] : batchOf(partNameOf(topic, partition.partitionIndex), partition, place);
      }),
    );
  } catch (error) {
    if (findErrorBy(error as Error, "apiId", "OFFSET_OUT_OF_RANGE") === null) throw error;
    return jump(consumer, name, topic, places);
  }
}

/** A name that a topic of the same name made later does not have. */
export function partNameOf(topic: Topic, partition: number): string {
  return `${topic.id}:${partition}`;
}

export function partitionOf(part: string): number {
  return Number(part.slice(part.lastIndexOf(":") + 1));
}

function batchOf(part: string, partition: FetchedPartition, place: number): InBatch[] {
  const messages: InMessage[] = [];
  let next = place;
  for (const { firstOffset, lastOffsetDelta, attributes, records } of partition.records ?? []) {
    const first = Number(firstOffset);
    next = Math.max(next, first + lastOffsetDelta + 1);
    if (attributes & CONTROL) continue;
    for (const { offsetDelta, key, value, headers } of records) {
      // A batch that was packed as one begins before what was asked for.
      if (first + offsetDelta < place) continue;
      messages.push({ offset: first + offsetDelta, key, value: value ?? Buffer.alloc(0), headers: textsOf(headers) });
    }
  }
  const end = Number(partition.highWatermark);
  return next === place ? [] : [{ part, messages, next, end, jumped: false }];
}

function textsOf(headers: readonly (readonly [Buffer | null, Buffer | null])[]): Record<string, string> {
  return Object.fromEntries(
    headers.map(([name, text]) => [name?.toString("utf8") ?? "", text?.toString("utf8") ?? ""]),
  );
}

/** To the nearest place that there is, for parts whose place is gone, or was never there. */
async function jump(
  consumer: Consumer,
  name: string,
  topic: Topic,
  places: ReadonlyMap<number, number>,
): Promise<InBatch[]> {
  const [oldest, newest] = [await edges(consumer, name, "oldest"), await edges(consumer, name, "newest")];
  return [...places].flatMap(([partition, place]): InBatch[] => {
    const [from, end] = [oldest[partition] ?? 0, newest[partition] ?? 0];
    const next = Math.min(Math.max(place, from), end);
    return next === place ? [] : [{ part: partNameOf(topic, partition), messages: [], next, end, jumped: true }];
  });
}
