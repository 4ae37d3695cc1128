/** What the stream of one call has said so far. */
import type { Turn } from "../api-types.ts";
import type { StreamMessage } from "./stream-message.ts";

/** A message that brings a turn, or another version of one. */
interface TurnMessage extends StreamMessage, Turn {
  readonly turn_index: number;
  /** The moving average after it; null before the customer has said something. */
  readonly live_sentiment: number | null;
}

export interface LiveTurns {
  readonly turns: readonly TurnMessage[];
  /** All turns came, and none will follow. */
  readonly complete: boolean;
  /** The stream had to begin anew. */
  readonly startedOver: boolean;
}

export const NO_TURNS: LiveTurns = { turns: [], complete: false, startedOver: false };

/** A reducer. */
export function afterMessage(before: LiveTurns, message: StreamMessage): LiveTurns {
  switch (message.type) {
    case "sentiment": {
      const said = message as TurnMessage;
      // Who may not see words gets none.
      const turn = { ...said, text: said.text ?? null };
      const { turns } = before;
      const next = turn.turn_index < turns.length ? turns.with(turn.turn_index, turn) : [...turns, turn];
      return { ...before, turns: next };
    }
    case "resync_required":
      return { turns: [], complete: false, startedOver: true };
    case "complete":
      return { ...before, complete: true };
    default:
      return before;
  }
}
