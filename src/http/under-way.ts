/** The requests being answered, kept once: load shedding bounds them, the end of the surface waits for them. */
import type { ServerResponse } from "node:http";

interface Watcher {
  /** A request more is under way; nothing of its answer is sent yet. */
  added(response: ServerResponse): void;
  /** The last has ended. */
  idle(): void;
}

export interface UnderWay {
  readonly responses: ReadonlySet<ServerResponse>;
  /** Takes in a request until its answer is sent or its connection has gone. */
  add(response: ServerResponse): void;
  /** Tells one watcher what changes from now on. */
  watch(watcher: Watcher): void;
}

export function createUnderWay(): UnderWay {
  const responses = new Set<ServerResponse>();
  let watching: Watcher | null = null;
  // One function for all requests: a listener of its own for each showed in profiles.
  function ended(this: ServerResponse): void {
    responses.delete(this);
    if (responses.size === 0) watching?.idle();
  }
  return {
    responses,
    add(response) {
      responses.add(response);
      response.on("close", ended);
      watching?.added(response);
    },
    watch(watcher) {
      watching = watcher;
    },
  };
}
