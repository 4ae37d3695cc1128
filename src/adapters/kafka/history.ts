/** A Kafka topic from its beginning to its end, read by nobody's group. */
import { randomUUID } from "node:crypto";
import { Consumer } from "@platformatic/kafka";
import type { TopicHistory } from "../../ports/topics.ts";
import { clientOptions, type KafkaServers, leave } from "./connect.ts";
import { edges, fetchFrom, partitionOf } from "./fetch.ts";

export function openTopicHistory({ servers, topic }: { servers: KafkaServers; topic: string }): TopicHistory {
  // A name for the group has to be given; it is never joined.
  const consumer = new Consumer({ ...clientOptions(servers), groupId: `earshot-reads-${randomUUID()}` });
  consumer.on("error", () => undefined);
  consumer.topics.track(topic);
  return {
    async readAll(take) {
      const ends = await edges(consumer, topic, "newest");
      const places = new Map((await edges(consumer, topic, "oldest")).entries());
      let taken = 0;
      for (;;) {
        for (const [partition, place] of places) if (place >= (ends[partition] ?? 0)) places.delete(partition);
        if (places.size === 0) return taken;
        for (const { part, messages, next } of await fetchFrom(consumer, topic, places)) {
          const partition = partitionOf(part);
          for (const message of messages) {
            if (message.offset >= (ends[partition] ?? 0)) break;
            taken++;
            take(message, partition);
          }
          places.set(partition, next);
        }
      }
    },
    close: () => leave(consumer),
  };
}
