/** The settings of Kafka. */

export interface KafkaConfig {
  readonly servers: {
    readonly brokers: readonly string[];
    readonly tls: boolean;
    readonly sasl: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string } | null;
  };
  readonly eventsTopic: string;
  /** null: no calls come in this way. */
  readonly importTopic: string | null;
  /** Where messages go that cannot be stored; null where none come. */
  readonly deadTopic: string | null;
}

const SASL_MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
type SaslMechanism = (typeof SASL_MECHANISMS)[number];

type KafkaSetting = `EARSHOT_KAFKA_${"BROKERS" | "EVENTS_TOPIC" | "IMPORT_TOPIC" | "DEAD_TOPIC" | "TLS" | "SASL"}`;

/** How settings are read (config.ts). */
interface Given {
  readonly text: (name: KafkaSetting) => string | null;
  readonly list: (name: KafkaSetting) => string[];
  readonly flag: (name: KafkaSetting) => boolean;
}

/** True for the address of a broker. */
function isBroker(text: string): boolean {
  const port = Number(/^[^\s:/]+:(\d{1,5})$|^\[[0-9a-f:.]+\]:(\d{1,5})$/i.exec(text)?.slice(1).join(""));
  return port > 0 && port <= 65_535;
}

/** What Kafka takes for the name of a topic. */
function isTopic(text: string): boolean {
  return /^(?!\.{1,2}$)[\w.-]{1,249}$/.test(text);
}

/** null without brokers; what is wrong goes to `problems`. */
export function readKafka(given: Given, problems: string[]): KafkaConfig | null {
  const brokers = given.list("EARSHOT_KAFKA_BROKERS");
  if (!brokers.every(isBroker)) problems.push("EARSHOT_KAFKA_BROKERS must list HOST:PORT, comma separated");
  const topic = (name: KafkaSetting): string | null => {
    const value = given.text(name);
    if (value === null || isTopic(value)) return value;
    problems.push(`${name} must be the name of a topic (letters, digits, . _ -), not ${JSON.stringify(value)}`);
    return null;
  };
  const eventsTopic = topic("EARSHOT_KAFKA_EVENTS_TOPIC") ?? "earshot.events";
  const importTopic = topic("EARSHOT_KAFKA_IMPORT_TOPIC");
  const deadTopic = importTopic && (topic("EARSHOT_KAFKA_DEAD_TOPIC") ?? `${importTopic}.dead`);
  if (importTopic !== null && new Set([eventsTopic, importTopic, deadTopic]).size < 3)
    problems.push("EARSHOT_KAFKA_IMPORT_TOPIC must be another topic than those that are written");
  const tls = given.flag("EARSHOT_KAFKA_TLS");
  const saslText = given.text("EARSHOT_KAFKA_SASL");
  const [, named, username = "", password = ""] = /^([^:]+):([^:]+):(.+)$/.exec(saslText ?? "") ?? [];
  const mechanism = SASL_MECHANISMS.find((one) => one === named);
  if (saslText !== null && mechanism === undefined)
    problems.push(`EARSHOT_KAFKA_SASL must be MECHANISM:USER:PASSWORD, with ${SASL_MECHANISMS.join(", ")}`);
  if (brokers.length === 0) {
    if (importTopic !== null)
      problems.push("EARSHOT_KAFKA_IMPORT_TOPIC needs EARSHOT_KAFKA_BROKERS, which say where it is");
    return null;
  }
  const sasl = mechanism ? { mechanism, username, password } : null;
  return { servers: { brokers, tls, sasl }, eventsTopic, importTopic, deadTopic };
}
