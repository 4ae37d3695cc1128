/**
 * The document of a call: what the API shows of its words and insights, as one JSON text. Enrichment stores it, so that
 * a call is sent without being parsed; everybody else reads turns and insights out of it.
 */
import type { Insights, Provenance, Turn } from "./call.ts";
import { sentimentLabel } from "./sentiment.ts";
import { formatInstant, parseInstant } from "./time.ts";
import { formatTranscript } from "./transcript.ts";

export interface CallWords {
  readonly turns: readonly Turn[];
  readonly insights: Insights | null;
}

interface WireProvenance extends Omit<Provenance, "computed_at"> {
  readonly computed_at: string;
}

interface WireDocument {
  readonly turns: readonly (Turn & { readonly sentiment: number | null })[];
  readonly insights: {
    readonly unavailable: Insights["reasons"];
    readonly provenance: { sentiment: WireProvenance; conversation: WireProvenance; vectors: WireProvenance | null };
    readonly [measure: string]: unknown;
  } | null;
}

const json = JSON.stringify;

/**
 * `{"transcript":…,"turns":[…],"insights":…}`, text by text: half the time of making the objects and turning them into
 * JSON. `personal` false leaves out everything said.
 */
export function documentText({ turns, insights }: CallWords, personal: boolean): string {
  const sentiment = insights?.turn_sentiment;
  let list = "";
  for (let i = 0; i < turns.length; i++) {
    list += (i === 0 ? "" : ",") + turnText(turns[i] as Turn, sentiment?.[i] ?? null, personal);
  }
  const transcript = personal ? json(formatTranscript(turns)) : "null";
  return `{"transcript":${transcript},"turns":[${list}],"insights":${insightsText(insights)}}`;
}

/** Turns and insights of a document that hides nothing. */
export function readDocument(text: string): CallWords {
  // The transcript says the same words again. Inside a string these quotes would be escaped.
  const { turns, insights } = JSON.parse(`{${text.slice(text.indexOf(',"turns":[') + 1)}`) as WireDocument;
  return {
    turns: turns.map(({ turn_id, speaker, text, start_ms, end_ms }) => ({ turn_id, speaker, text, start_ms, end_ms })),
    insights: insights && readInsights(insights, turns),
  };
}

function turnText({ turn_id, speaker, text, start_ms, end_ms }: Turn, sentiment: number | null, personal: boolean) {
  const label = sentiment === null ? "null" : `"${sentimentLabel(sentiment)}"`;
  return (
    `{"turn_id":${json(turn_id)},"speaker":"${speaker}","text":${personal ? json(text) : "null"},` +
    `"start_ms":${start_ms},"end_ms":${end_ms},"sentiment":${sentiment},"sentiment_label":${label}}`
  );
}

function insightsText(insights: Insights | null): string {
  if (insights === null) return "null";
  const { measures, reasons, provenance } = insights;
  const rest = `"unavailable":${json(reasons)},"provenance":${json(wireProvenances(provenance))}}`;
  const own = json(measures).slice(0, -1);
  return own === "{" ? own + rest : `${own},${rest}`;
}

function readInsights(
  { unavailable, provenance, ...measures }: NonNullable<WireDocument["insights"]>,
  turns: WireDocument["turns"],
): Insights {
  const { sentiment, conversation, vectors } = provenance;
  return {
    measures: measures as Insights["measures"],
    reasons: unavailable,
    turn_sentiment: turns.map((turn) => turn.sentiment),
    provenance: {
      sentiment: readProvenance(sentiment),
      conversation: readProvenance(conversation),
      embedding: vectors && readProvenance(vectors),
    },
  };
}

/** How the API names and dates what insights were made by. */
export function wireProvenances({ sentiment, conversation, embedding }: Insights["provenance"]) {
  return {
    sentiment: wireProvenance(sentiment),
    conversation: wireProvenance(conversation),
    vectors: embedding && wireProvenance(embedding),
  };
}

function wireProvenance({ method, model, version, computed_at }: Provenance): WireProvenance {
  return { method, model, version, computed_at: formatInstant(computed_at) };
}

function readProvenance({ computed_at, ...made }: WireProvenance): Provenance {
  return { ...made, computed_at: parseInstant(computed_at) ?? 0 };
}
