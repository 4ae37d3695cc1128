import type { Events } from "../../ports/events.ts";
import type { Stream } from "../../ports/stream.ts";

/** The log itself is the stream: every process on the file hears of what the others commit. */
export function logStream(events: Events): Stream {
  return {
    after: (seq, limit, scope) => events.after(seq, limit, scope),
    head: () => events.head(),
    onChange: (listener) => events.onChange(listener),
    problem: () => null,
    // The store closes its log.
    close: async () => {},
  };
}
