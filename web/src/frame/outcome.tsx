import type { CallRow } from "../api-types.ts";
import { Unknown } from "./sentiment.tsx";

const OUTCOMES = {
  won: { text: "Won", shape: "M2 6.2 5 9.2 10.2 3" },
  lost: { text: "Lost", shape: "M3 3l6 6M9 3 3 9" },
  open: { text: "Open", shape: "M6 2.6a3.4 3.4 0 1 0 .01 0" },
};

export function Outcome({ outcome }: { readonly outcome: CallRow["outcome"] }) {
  if (outcome === null) return <Unknown />;
  const { text, shape } = OUTCOMES[outcome];
  return (
    <span className="outcome" data-outcome={outcome}>
      <svg
        viewBox="0 0 12 12"
        width="12"
        height="12"
        aria-hidden="true"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
      >
        <path d={shape} strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      {text}
    </span>
  );
}
