/** What the live routes answer, until openapi.json has them. */
import type { NoQuery } from "../api-types.ts";

export interface LiveAlert {
  readonly rule_id: string;
  readonly severity: "high" | "medium" | "low";
  readonly text: string;
  /** Indexes of turns. */
  readonly evidence: readonly number[];
  readonly expected: { readonly text: string; readonly source: string };
  readonly observed: { readonly text: string };
}

export interface LiveRow {
  readonly call_id: string;
  readonly agent_id: string;
  readonly customer_id: string | null;
  readonly start_time: string;
  readonly turns: number;
  readonly live_sentiment: number | null;
  readonly trend: "rising" | "steady" | "falling" | null;
  readonly agent_talk_ratio: number | null;
  readonly last_turn_at: string | null;
  readonly alerts: readonly LiveAlert[];
}

export interface LiveCall extends Omit<LiveRow, "turns"> {
  readonly longest_monologue_seconds: number | null;
  readonly longest_monologue_words: number | null;
}

declare module "../api-types.ts" {
  interface Gets {
    readonly "/api/v1/live": {
      readonly query: NoQuery;
      readonly body: undefined;
      readonly answer: { readonly calls: readonly LiveRow[] };
    };
    readonly "/api/v1/live/{call_id}": { readonly query: NoQuery; readonly body: undefined; readonly answer: LiveCall };
  }
}
