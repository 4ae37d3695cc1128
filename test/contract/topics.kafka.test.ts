import { afterAll, describe } from "vitest";
import { type KafkaServer, startKafka } from "../support/kafka-server.ts";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { makeSqlite } from "../support/sqlite-suite.ts";
import { topicsContract } from "./topics.contract.ts";

const jars = requirement("kafka");
const server = jars === null ? null : await startKafka(jars);
afterAll(() => server?.close());
const broker = () => (server as KafkaServer).brokers;

describe.skipIf(server === null)("with a broker", () => {
  topicsContract("sqlite", makeSqlite, broker);
  describe.skipIf(requirement("postgres") === null)("with a database server", () => {
    topicsContract("postgres", makePostgres, broker);
  });
});
