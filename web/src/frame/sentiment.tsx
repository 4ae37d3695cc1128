/** Sentiment never by colour alone: a sign, a shape and a number. */
import { signed } from "../format.ts";

/** Scores beyond this fill the bar; the number beside it says how much. */
const FULL = 0.6;

type Tone = "positive" | "neutral" | "negative";

/** A call's mean is pulled to the middle, so its thresholds are closer than a turn's. */
function toneOf(score: number): Tone {
  if (score >= 0.05) return "positive";
  return score <= -0.05 ? "negative" : "neutral";
}

/** A mean score: its number, and a bar to the left or right of zero. */
export function MeanSentiment({ score }: { readonly score: number | null }) {
  if (score === null) return <Unknown />;
  const share = Math.min(1, Math.abs(score) / FULL) * 50;
  return (
    <span className="mean" data-tone={toneOf(score)}>
      <span className="num">{signed(score)}</span>
      <span className="mean-bar" aria-hidden="true">
        <span style={{ width: `${share}%`, [score < 0 ? "right" : "left"]: "50%" }} />
      </span>
    </span>
  );
}

const SHAPES: Readonly<Record<Tone, string>> = {
  positive: "M5 1.5 9.3 9H.7Z",
  negative: "M5 8.5.7 1h8.6Z",
  neutral: "M1 4h8v2H1Z",
};

/** A turn's score with its shape: up, level or down. */
export function TurnSentiment({ score, label }: { readonly score: number | null; readonly label: Tone | null }) {
  if (score === null || label === null) return null;
  return (
    <span className="turn-mark" data-tone={label}>
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true" fill="currentColor">
        <path d={SHAPES[label]} />
      </svg>
      <span className="num">
        <span className="hidden">Sentiment {label}, </span>
        {signed(score)}
      </span>
    </span>
  );
}

export function Unknown({ why = "not known" }: { readonly why?: string }) {
  return (
    <span className="dim">
      <span aria-hidden="true">–</span>
      <span className="hidden">{why}</span>
    </span>
  );
}
