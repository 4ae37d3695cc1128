/** The published settings: names, defaults, meanings. */

export interface Setting {
  readonly name: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** In the order the README lists them. */
export const SETTINGS = [
  { name: "EARSHOT_HOST", fallback: "127.0.0.1", meaning: "address to listen on" },
  {
    name: "EARSHOT_PORT",
    fallback: "8000",
    meaning:
      "port to listen on (0: any free one); worker and relay listen, for health and metrics, only where it is set",
  },
  {
    name: "EARSHOT_DRAIN_DELAY",
    fallback: "0",
    meaning:
      "seconds after SIGTERM in which everything is still served while /health/ready answers 503, for a load balancer to notice",
  },
  { name: "EARSHOT_DATA_DIR", fallback: "./data", meaning: "database, models and keys" },
  {
    name: "EARSHOT_STORE_URL",
    fallback: "sqlite:DATA_DIR/earshot.db",
    meaning: "the database: `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`",
  },
  { name: "EARSHOT_STORE_POOL", fallback: "50", meaning: "PostgreSQL connections of a process at most" },
  {
    name: "EARSHOT_STORE_REPLICA_URLS",
    fallback: "none",
    meaning: "streaming replicas of the PostgreSQL that answer reads, comma separated",
  },
  {
    name: "EARSHOT_REPLICA_OF",
    fallback: "none",
    meaning: "the address of another Earshot: this one is a read-only copy of it (`serve --replica-of`)",
  },
  { name: "EARSHOT_REPLICA_KEY", fallback: "none", meaning: "an admin API key of the server that is copied" },
  {
    name: "EARSHOT_STREAM_URL",
    fallback: "sql:",
    meaning:
      "how processes hear of each other's events: `sql:` by the database, or `redis://[USER:PASSWORD@]HOST[:PORT]`, or `redis+cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT` with some nodes of a cluster",
  },
  {
    name: "EARSHOT_DISPATCH_URL",
    fallback: "sql:",
    meaning: "how workers hear of work: `sql:` by looking into the database, or a Redis as above",
  },
  {
    name: "EARSHOT_CACHE_URL",
    fallback: "memory:",
    meaning: "where figures are kept for two seconds: `memory:` of each process, or a Redis as above for all",
  },
  {
    name: "EARSHOT_KAFKA_BROKERS",
    fallback: "none",
    meaning: "`HOST:PORT` of Kafka brokers, comma separated: events go out to a topic ([docs/kafka.md](docs/kafka.md))",
  },
  { name: "EARSHOT_KAFKA_EVENTS_TOPIC", fallback: "earshot.events", meaning: "the topic events go to" },
  {
    name: "EARSHOT_KAFKA_IMPORT_TOPIC",
    fallback: "none",
    meaning: "a topic calls come in from, one as JSON a message",
  },
  {
    name: "EARSHOT_KAFKA_DEAD_TOPIC",
    fallback: "IMPORT_TOPIC.dead",
    meaning: "the topic that messages of the import topic go to which could not be stored",
  },
  { name: "EARSHOT_KAFKA_TLS", fallback: "0", meaning: "1 speaks TLS with the brokers" },
  {
    name: "EARSHOT_KAFKA_SASL",
    fallback: "none",
    meaning: "who we are to the brokers: `PLAIN:USER:PASSWORD`, or SCRAM-SHA-256 or SCRAM-SHA-512",
  },
  {
    name: "EARSHOT_VECTORS_URL",
    fallback: "embedded:",
    meaning:
      "what finds similar vectors: `embedded:` an index in each process, or `pgvector:` the PostgreSQL that is the store",
  },
  {
    name: "EARSHOT_MODEL_DIR",
    fallback: "DATA_DIR/models/…",
    meaning: "a model folder of your own; `statistical:` runs without a model",
  },
  {
    name: "EARSHOT_MODEL_THREADS",
    fallback: "number of cores, at most 8; role api alone: 1",
    meaning: "threads that run the model",
  },
  { name: "EARSHOT_READER_THREADS", fallback: "1", meaning: "threads for queries that can be long" },
  {
    name: "EARSHOT_ADMIN_KEY",
    fallback: "made at first start",
    meaning: "an admin API key for automation, 16 characters or more",
  },
  {
    name: "EARSHOT_JWT_SECRET",
    fallback: "made at first start; must be set with a postgres store",
    meaning: "secrets that sign log-ins, 32 characters or more, comma separated: the first signs, all verify",
  },
  { name: "EARSHOT_TIMEZONE", fallback: "UTC", meaning: "time zone of daily figures" },
  { name: "EARSHOT_LOG_LEVEL", fallback: "info", meaning: "trace, debug, info, warn, error or silent" },
  { name: "EARSHOT_METRICS_PUBLIC", fallback: "0", meaning: "1 serves /metrics without a token" },
  { name: "EARSHOT_CORS_ORIGINS", fallback: "none", meaning: "origins of other sites that may call the API" },
  {
    name: "EARSHOT_CDN_TTL",
    fallback: "0",
    meaning:
      "seconds for which a shared cache that keeps apart what differs in Authorization may keep figures, at most 300; 0: not at all",
  },
  { name: "EARSHOT_SOCKETIO", fallback: "0", meaning: "1 serves the streams to Socket.IO clients as well" },
  {
    name: "EARSHOT_TRUST_PROXY",
    fallback: "none",
    meaning:
      "addresses or networks of your proxies, such as `127.0.0.1,10.0.0.0/8`: X-Forwarded-For is believed of them alone",
  },
  {
    name: "EARSHOT_RATE_LIMIT",
    fallback: "60000/60",
    meaning: "requests an account may make in so many seconds; 0: no limit",
  },
  {
    name: "EARSHOT_RATE_LIMIT_ADDRESS",
    fallback: "300/60",
    meaning: "the same of an address, for requests without valid credentials",
  },
  { name: "EARSHOT_RANK_MINIMUM", fallback: "5", meaning: "calls an agent needs before a rank is given" },
  {
    name: "EARSHOT_RETENTION_DAYS",
    fallback: "730",
    meaning: "calls received longer ago are erased in the night; 0 keeps them for ever",
  },
  {
    name: "EARSHOT_LIVE_IDLE",
    fallback: "1800",
    meaning: "seconds without a turn after which a live call ends by itself",
  },
  {
    name: "EARSHOT_LIVE_ALPHA",
    fallback: "0.3",
    meaning: "weight of the customer's newest turn in the live sentiment, above 0, at most 1",
  },
  {
    name: "EARSHOT_LAKE_URL",
    fallback: "none",
    meaning: "where enriched calls are written as Parquet by day: `file:/PATH` or `s3://BUCKET/PREFIX`",
  },
  { name: "EARSHOT_LAKE_INTERVAL", fallback: "60", meaning: "seconds between two writes to the lake" },
  { name: "EARSHOT_LAKE_TEXT", fallback: "0", meaning: "1 writes what was said to the lake as well" },
  { name: "EARSHOT_S3_ENDPOINT", fallback: "that of AWS", meaning: "address of the S3 server of the lake" },
  { name: "EARSHOT_S3_REGION", fallback: "us-east-1", meaning: "its region" },
  { name: "EARSHOT_S3_ACCESS_KEY", fallback: "none", meaning: "its access key" },
  { name: "EARSHOT_S3_SECRET_KEY", fallback: "none", meaning: "the secret of that key" },
] as const satisfies readonly Setting[];
