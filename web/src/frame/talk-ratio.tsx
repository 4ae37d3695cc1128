import { percent } from "../format.ts";
import { Unknown } from "./sentiment.tsx";

/** The agent's share of the words, as a number and a filled bar. */
export function TalkRatio({ ratio }: { readonly ratio: number | null }) {
  if (ratio === null) return <Unknown />;
  return (
    <span className="talk">
      <span className="num">{percent(ratio)}</span>
      <span className="talk-bar" aria-hidden="true">
        <span style={{ width: `${ratio * 100}%` }} />
      </span>
    </span>
  );
}
