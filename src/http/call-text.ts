/** One call straight to JSON text: half the time of making the objects of `presentCall` and turning them into text. */
import type { Turn } from "../core/call.ts";
import { sentimentLabel } from "../core/sentiment.ts";
import { formatTranscript } from "../core/transcript.ts";
import type { StoredCall } from "../ports.ts";
import { presentInsightsProvenance, presentRow } from "./present.ts";

const json = JSON.stringify;

/** The same value as `{...presentCall(call, personal), ...more}`. */
export function callText(call: StoredCall, personal: boolean, more: Readonly<Record<string, unknown>>): string {
  const { turns, insights } = call;
  const sentiment = insights?.turn_sentiment;
  let list = "";
  for (let i = 0; i < turns.length; i++) {
    list += (i === 0 ? "" : ",") + turnText(turns[i] as Turn, sentiment?.[i] ?? null, personal);
  }
  const transcript = personal ? json(formatTranscript(turns)) : "null";
  const rest = json(more);
  return (
    `${json(presentRow(call.row, personal)).slice(0, -1)},"transcript":${transcript},"turns":[${list}],` +
    `"insights":${insightsText(insights)}${rest === "{}" ? "}" : `,${rest.slice(1)}`}`
  );
}

function turnText({ turn_id, speaker, text, start_ms, end_ms }: Turn, sentiment: number | null, personal: boolean) {
  const label = sentiment === null ? "null" : `"${sentimentLabel(sentiment)}"`;
  return (
    `{"turn_id":${json(turn_id)},"speaker":"${speaker}","text":${personal ? json(text) : "null"},` +
    `"start_ms":${start_ms},"end_ms":${end_ms},"sentiment":${sentiment},"sentiment_label":${label}}`
  );
}

function insightsText(insights: StoredCall["insights"]): string {
  if (insights === null) return "null";
  const { measures, reasons, provenance } = insights;
  const rest = `"unavailable":${json(reasons)},"provenance":${json(presentInsightsProvenance(provenance))}}`;
  const own = json(measures).slice(0, -1);
  return own === "{" ? own + rest : `${own},${rest}`;
}
