import type { LiveRow } from "./live-types.ts";
import { Unknown } from "../frame/sentiment.tsx";

const SHAPES = {
  rising: "M1.5 10.5 10.5 1.5M4 1.5h6.5V8",
  steady: "M1 6h10M7.5 2.5 11 6 7.5 9.5",
  falling: "M1.5 1.5 10.5 10.5M4 10.5h6.5V4",
} as const;

/** Where the customer's mood goes, as a word and an arrow. */
export function TrendMark({ trend }: { readonly trend: LiveRow["trend"] }) {
  if (trend === null) return <Unknown />;
  return (
    <span className="trend" data-trend={trend}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" fill="none" stroke="currentColor">
        <path d={SHAPES[trend]} strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      {trend}
    </span>
  );
}
