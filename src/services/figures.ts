/** Figures per agent from the cache: as fresh as the log, and the last ones there were when the store is away. */
import type { Scope } from "../core/call.ts";
import { FORMULAS } from "../core/measures.ts";
import type { Cache, Cached } from "../ports/cache.ts";
import type { Events } from "../ports/events.ts";
import type { Rollups } from "../ports/rollups.ts";
import { agentAverages } from "./analytics.ts";
import type { AgentAverages } from "./analytics.ts";

/** A rebuild of the sums is no event: this is how long its result may be unseen. */
const TTL_MS = 2_000;

export interface FiguresDeps {
  readonly rollups: Pick<Rollups, "agents">;
  readonly events: Pick<Events, "head" | "onChange">;
  readonly cache: Cache;
}

export interface Figures {
  /** `agentAverages`, made once for all who ask between two changes of the log. */
  agents(input: { scope: Scope; rankMinimum: number }): Promise<Cached<AgentAverages[]>>;
  stop(): void;
}

export function createFigures({ rollups, events, cache }: FiguresDeps): Figures {
  // Read once a change: whoever has written sees it in the very next answer.
  let head: Promise<number> | null = null;
  const stop = events.onChange(() => {
    head = null;
  });
  const version = async (): Promise<string> => {
    head ??= events.head();
    try {
      return `${FORMULAS.version}.${await head}`;
    } catch {
      // Making the figures fails as well, and what stands in may be of any version.
      head = null;
      return "unknown";
    }
  };
  return {
    async agents(input) {
      const { scope, rankMinimum } = input;
      return cache.once({
        key: JSON.stringify(["analytics/agents", rankMinimum, scope]),
        version: await version(),
        ttl_ms: TTL_MS,
        make: () => agentAverages({ rollups }, input),
      });
    },
    stop,
  };
}
