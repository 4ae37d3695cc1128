import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";

export type Log = Logger;

/**
 * JSON lines with the field names of the Elastic Common Schema. Nothing of a call's words may be logged: callers pass
 * ids and counts only.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: { "service.name": "earshot", "process.pid": process.pid },
      messageKey: "message",
      errorKey: "error",
      timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ "log.level": label }) },
      redact: ["req.headers.authorization", "req.headers.cookie"],
    },
    destination ?? pino.destination(2),
  );
}
