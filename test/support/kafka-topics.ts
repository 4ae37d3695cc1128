/** Topics of a test's own on a real broker: what was written into one, and a way to write into another. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { openTopicHistory } from "../../src/adapters/kafka/history.ts";
import { openTopicOut } from "../../src/adapters/kafka/topic-out.ts";
import type { EventMessage } from "../../src/core/event-message.ts";
import type { InMessage } from "../../src/ports/topics.ts";

const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/events.schema.json"), "utf8")) as object;
// One of the formats is text for people; strict mode would want each type said once.
const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
const validate = ajv.compile(schema);

export const serversAt = (brokers: string) => ({ brokers: [brokers], tls: false, sasl: null });

/** Everything in the topic, those of one partition in order. */
export async function readTopic(brokers: string, topic: string): Promise<(InMessage & { readonly part: number })[]> {
  const history = openTopicHistory({ servers: serversAt(brokers), topic });
  const messages: (InMessage & { readonly part: number })[] = [];
  try {
    await history.readAll((message, part) => messages.push({ ...message, part }));
  } finally {
    await history.close();
  }
  return messages;
}

/** The events in the topic; each has been held to the published schema. */
export async function readEvents(brokers: string, topic: string): Promise<EventMessage[]> {
  return (await readTopic(brokers, topic)).map(({ key, value }) => {
    const event = JSON.parse(value.toString("utf8")) as EventMessage;
    if (!validate(event)) throw new Error(`${value.toString("utf8")}: ${ajv.errorsText(validate.errors)}`);
    if (key?.toString("utf8") !== event.call_id) throw new Error("the key is not the call_id");
    return event;
  });
}

const textOf = (value: string | object) => (typeof value === "string" ? value : JSON.stringify(value));

/** Writes messages without a key, one value each. */
export async function writeTopic(brokers: string, topic: string, values: readonly (string | object)[]): Promise<void> {
  const out = openTopicOut({ servers: serversAt(brokers), topic });
  try {
    await out.send(values.map((value) => ({ key: null, value: Buffer.from(textOf(value)) })));
  } finally {
    await out.close();
  }
}
