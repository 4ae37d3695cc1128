/** A mean with its 95 % interval on a scale that all rows share. */

export interface Axis {
  readonly low: number;
  readonly high: number;
  /** Where the thin line stands: no sentiment, or half of the words. */
  readonly line: number;
}

interface Figure {
  readonly mean: number | null;
  readonly ci95: readonly [number, number] | null;
}

/** The smallest round scale that holds every interval and `include`, within the measure's range. */
export function axisOf(
  figures: readonly Figure[],
  range: { readonly low: number; readonly high: number; readonly include: number },
): Axis {
  const values = figures.flatMap((f) => [...(f.ci95 ?? []), ...(f.mean === null ? [] : [f.mean])]);
  const low = Math.floor(Math.min(range.include, ...values) * 10) / 10;
  const high = Math.ceil(Math.max(range.include, ...values) * 10) / 10;
  return { low: Math.max(range.low, low), high: Math.min(range.high, Math.max(high, low + 0.1)), line: range.include };
}

/** Where a value stands on the axis, in percent of its width. */
export function placeOn(axis: Axis, value: number): number {
  return Math.max(0, Math.min(100, ((value - axis.low) / (axis.high - axis.low)) * 100));
}

interface IntervalProps extends Figure {
  readonly axis: Axis;
  readonly format: (value: number) => string;
}

export function Interval({ axis, mean, ci95, format }: IntervalProps) {
  if (mean === null) return null;
  const at = (value: number) => placeOn(axis, value);
  const text = ci95 ? `95 % interval ${format(ci95[0])} to ${format(ci95[1])}` : "no interval: too few calls";
  return (
    <span className="interval" role="img" aria-label={text}>
      <span className="interval-zero" style={{ left: `${at(axis.line)}%` }} />
      {ci95 && (
        <span className="interval-line" style={{ left: `${at(ci95[0])}%`, width: `${at(ci95[1]) - at(ci95[0])}%` }} />
      )}
      <span className="interval-dot" style={{ left: `${at(mean)}%` }} />
    </span>
  );
}
