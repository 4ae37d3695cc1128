/** The measures of one call: their names and the formula set they come from. core/definitions.ts says what they mean. */

/** Positions are stored in the database: append only. */
export const MEASURE_NAMES = [
  "agent_talk_ratio",
  "talk_ratio_speech",
  "talk_ratio_call",
  "agent_talk_time_ms",
  "customer_talk_time_ms",
  "non_talk_ms",
  "longest_silence_ms",
  "silence_count",
  "agent_interruptions",
  "customer_interruptions",
  "agent_interruption_ms",
  "customer_interruption_ms",
  "agent_words_per_minute",
  "customer_words_per_minute",
  "agent_words",
  "customer_words",
  "longest_monologue_seconds",
  "longest_monologue_words",
  "longest_customer_story_seconds",
  "longest_customer_story_words",
  "patience_ms",
  "patience_p90_ms",
  "interactivity",
  "agent_question_rate",
  "customer_question_rate",
  "agent_questions",
  "customer_questions",
  "agent_open_question_share",
  "customer_open_question_share",
  "customer_sentiment_score",
  "agent_sentiment_score",
  "customer_sentiment_q1",
  "customer_sentiment_q2",
  "customer_sentiment_q3",
  "customer_sentiment_q4",
  "agent_sentiment_q1",
  "agent_sentiment_q2",
  "agent_sentiment_q3",
  "agent_sentiment_q4",
  "sentiment_change",
  "agent_fillers",
  "customer_fillers",
] as const;

export type MeasureName = (typeof MEASURE_NAMES)[number];

/** Provenance of everything that is counted, not inferred. The version grows when a definition changes. */
export const FORMULAS = { name: "earshot-measures", version: "2" } as const;

/** The model, the lexicon, fillers, backchannels and question rules are English. */
export function supportsLanguage(language: string): boolean {
  return /^en(?:[-_]|$)/i.test(language.trim());
}
