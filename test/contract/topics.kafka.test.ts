import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { openTopicOut } from "../../src/adapters/kafka/topic-out.ts";
import { type KafkaServer, startKafka } from "../support/kafka-server.ts";
import { readTopic } from "../support/kafka-topics.ts";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { makeSqlite } from "../support/sqlite-suite.ts";
import { topicsContract } from "./topics.contract.ts";

const jars = requirement("kafka");
const server = jars === null ? null : await startKafka(jars);
afterAll(() => server?.close());
const broker = () => (server as KafkaServer).brokers;

describe.skipIf(server === null)("with a broker", () => {
  test("brokers that ask who we are take the right password alone", async () => {
    const topic = randomUUID();
    const sendAs = async (password: string): Promise<void> => {
      const sasl = { mechanism: "PLAIN", username: "ann", password } as const;
      const servers = { brokers: [(server as KafkaServer).guarded], tls: false, sasl };
      const out = openTopicOut({ servers, topic });
      try {
        await out.send([{ key: null, value: Buffer.from("hello") }]);
      } finally {
        await out.close();
      }
    };
    await expect(sendAs("wrong")).rejects.toThrow();
    await sendAs("hunter2");
    expect(await readTopic(broker(), topic)).toHaveLength(1);
  });

  topicsContract("sqlite", makeSqlite, broker);
  describe.skipIf(requirement("postgres") === null)("with a database server", () => {
    topicsContract("postgres", makePostgres, broker);
  });
});
