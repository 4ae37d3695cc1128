/** Events out and calls in by way of topics, with what is logged, counted and said of both. */
import { randomUUID } from "node:crypto";
import type { Log } from "../observe/logger.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Calls } from "../ports/calls.ts";
import type { Events } from "../ports/events.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { Rollups } from "../ports/rollups.ts";
import type { TopicIn, TopicOut } from "../ports/topics.ts";
import { createBulkReader } from "./bulk-reader.ts";
import { startExport } from "./export-events.ts";
import { startTopicImport } from "./import-topic.ts";
import type { KafkaState } from "./readiness.ts";

/** More events than this wait only where something is wrong, or very much is going on. */
const LAG_EVENTS = 10_000;
const LOOK_MS = 2_000;

export interface KafkaLinkDeps {
  readonly events: Events;
  readonly rollups: Pick<Rollups, "contributions">;
  readonly jobs: Pick<Jobs, "bookmark" | "moveBookmark">;
  readonly calls: Pick<Calls, "acceptFrom">;
  readonly metrics: Pick<Metrics, "degraded" | "eventsSent" | "messagesTaken" | "kafkaBehind">;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
}

export interface KafkaTopics {
  readonly log_id: string;
  readonly events: { readonly name: string; readonly topic: TopicOut };
  readonly calls: { readonly name: string; readonly topic: TopicIn; readonly deadLetters: TopicOut } | null;
}

export interface KafkaLink {
  state(): Promise<KafkaState>;
  stop(): Promise<void>;
}

/** The bookmark of the export to a topic (export-events.ts). */
const exportBookmark = (topic: string): string => `kafka.export:${topic}`;

export function startKafkaLink(deps: KafkaLinkDeps, topics: KafkaTopics): KafkaLink {
  const { log, metrics } = deps;
  const problems = new Map<string, string | null>();
  const tell = (what: string, well: string, unwell: string) => (problem: string | null) => {
    problems.set(what, problem);
    metrics.degraded(
      "kafka",
      [...problems.values()].some((one) => one !== null),
    );
    if (problem === null) log.info(well);
    else log.warn({ problem }, unwell);
  };
  const out = startExport({
    ...deps,
    topic: topics.events.topic,
    bookmark: exportBookmark(topics.events.name),
    log_id: topics.log_id,
    owner: randomUUID(),
    onChange: tell("events", "events go to Kafka again", "Kafka does not take events: they wait in the log"),
    onGap: (from, to) => log.error({ from, to }, "events left the log before Kafka had them: the topic lacks these"),
    onSent: (events) => metrics.eventsSent(events),
  });
  const { calls } = topics;
  const into =
    calls &&
    startTopicImport({
      ...deps,
      topic: calls.topic,
      topicName: calls.name,
      deadLetters: calls.deadLetters,
      bulks: createBulkReader(),
      onChange: tell("calls", "calls come from Kafka again", "no calls come from Kafka: they wait there"),
      onJump: (part, from, to) => log.error({ part, from, to }, "messages were gone from Kafka before they were read"),
      onStored(results, { check, store }) {
        metrics.messagesTaken(results, { check: check / 1000, store: store / 1000 });
      },
    });

  const state = async (): Promise<KafkaState> => {
    const events_behind = await out.backlog();
    const ok = out.problem() === null && (into?.problem() ?? null) === null && events_behind <= LAG_EVENTS;
    return { ok, events_behind, messages_behind: into?.behind() ?? 0 };
  };
  const look = async (): Promise<void> => {
    const now = await state().catch(() => null);
    metrics.kafkaBehind({ events: now?.events_behind ?? null, messages: now?.messages_behind ?? null });
  };
  const looking = setInterval(() => void look(), LOOK_MS);
  looking.unref();

  return {
    state,
    async stop() {
      clearInterval(looking);
      await Promise.all([out.stop(), into?.stop()]);
    },
  };
}
