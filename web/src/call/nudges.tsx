import type { Nudge } from "../api-types.ts";

const SHAPES: Readonly<Record<Nudge["severity"], string>> = {
  high: "M6 1 11.5 11H.5Z",
  medium: "M6 .5 11.5 6 6 11.5.5 6Z",
  low: "M6 2a4 4 0 1 0 .01 0Z",
  strength: "M4.6 10.6.8 6.8l1.6-1.6 2.2 2.2 5-5 1.6 1.6Z",
};
const SEVERITIES: Readonly<Record<Nudge["severity"], string>> = {
  high: "Change first",
  medium: "Worth changing",
  low: "Small thing",
  strength: "Keep doing",
};

/** A nudge, or an alert of a call that goes on. */
export interface Advice extends Pick<Nudge, "severity" | "text" | "evidence"> {
  readonly observed: { readonly text: string };
  readonly expected: { readonly text: string; readonly source: string };
  /** What kind of advice it is, where its severity does not say that. */
  readonly kind?: string;
}

interface NudgesProps {
  readonly nudges: readonly Advice[];
  readonly reason: string | undefined;
  /** turn_id -> number as shown. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly lit: number | null;
  /** A nudge is pointed at or focused; null: no longer. */
  readonly onPoint: (index: number | null) => void;
  readonly onChoose: (index: number, turn_id: string) => void;
}

export function Nudges({ nudges, reason, numbers, lit, onPoint, onChoose }: NudgesProps) {
  if (nudges.length === 0) return <p className="dim">{reason ?? "There is nothing to say about this call."}</p>;
  return (
    <ol className="nudge-list">
      {nudges.map((nudge, index) => {
        return (
          // Pointing does what focusing a turn's button does; nothing needs the mouse.
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
          <li
            key={nudge.text}
            className="nudge"
            data-severity={nudge.severity}
            data-lit={lit === index}
            onMouseEnter={() => onPoint(index)}
            onMouseLeave={() => onPoint(null)}
          >
            <p className="nudge-kind">
              <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" fill="currentColor">
                <path d={SHAPES[nudge.severity]} />
              </svg>
              {nudge.kind ?? SEVERITIES[nudge.severity]}
            </p>
            <p>{nudge.text}</p>
            <p className="dim small">
              Here: {nudge.observed.text}. Aim: {nudge.expected.text}
              {nudge.expected.source === "team" && " (the team’s best quarter)"}.
            </p>
            {nudge.evidence.length > 0 && (
              <p className="nudge-turns">
                {nudge.evidence.map((turn_id) => (
                  <button
                    key={turn_id}
                    type="button"
                    onFocus={() => onPoint(index)}
                    onBlur={() => onPoint(null)}
                    onClick={() => onChoose(index, turn_id)}
                  >
                    Turn {numbers.get(turn_id) ?? turn_id}
                  </button>
                ))}
              </p>
            )}
          </li>
        );
      })}
    </ol>
  );
}
