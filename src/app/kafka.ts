/** What passes through Kafka. */
import type { Store } from "../adapters/sql/store.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";
import type { Log } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import { startKafkaLink } from "../services/kafka-link.ts";
import type { KafkaLink } from "../services/kafka-link.ts";
import { rebuildFromTopic } from "../services/rebuild-from-topic.ts";
import type { TopicRebuild } from "../services/rebuild-from-topic.ts";
import { logName, withStore } from "./store.ts";

/** A topic of events that has to be made keeps them for ever: figures can be made of them anew. */
const EVENTS_KEPT = { "retention.ms": "-1" };

/** What passes through Kafka in this process: events out, and calls in where a topic is named. */
export async function startKafka(
  config: Config,
  deps: { store: Store; metrics: Metrics; log: Log },
): Promise<KafkaLink | null> {
  if (config.kafka === null) return null;
  const { servers, eventsTopic, importTopic, deadTopic } = config.kafka;
  // Its client takes a while to load: only who uses it waits for that.
  const { openTopicOut } = await import("../adapters/kafka/topic-out.ts");
  const { openTopicIn } = await import("../adapters/kafka/topic-in.ts");
  const log_id = await logName(deps.store);
  return startKafkaLink(
    { ...deps, ...deps.store, now: Date.now, random: Math.random },
    {
      log_id,
      events: { name: eventsTopic, topic: openTopicOut({ servers, topic: eventsTopic, configs: EVENTS_KEPT }) },
      calls:
        importTopic === null || deadTopic === null
          ? null
          : {
              name: importTopic,
              topic: openTopicIn({ servers, topic: importTopic, group: `earshot-${log_id}` }),
              deadLetters: openTopicOut({ servers, topic: deadTopic }),
            },
    },
  );
}

/** `kafka rebuild`: figures from the topic of events alone, beside those of the store. */
export async function rebuildFromEvents(config: Config): Promise<TopicRebuild> {
  const { kafka, timezone } = config;
  if (kafka === null) throw new AppError("validation", "EARSHOT_KAFKA_BROKERS must say where Kafka is");
  const { openTopicHistory } = await import("../adapters/kafka/history.ts");
  return withStore(config, async (store) => {
    const history = openTopicHistory({ servers: kafka.servers, topic: kafka.eventsTopic });
    try {
      return await rebuildFromTopic({ ...store, history, timezone, log_id: await logName(store) });
    } finally {
      await history.close();
    }
  });
}
