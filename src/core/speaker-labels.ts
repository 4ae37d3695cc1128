/** Who a label stands for. */
import type { Speaker } from "./call.ts";
import { type FieldError, pointer } from "./field-error.ts";
import { clip, shown } from "./received.ts";

/** Labels of the sender's own to a speaker: `{"Rep": "agent", "Client": "customer"}`. Case does not matter. */
export type SpeakerMap = Readonly<Record<string, string>>;

export const SPEAKERS = '"agent" or "customer"';
/** Labels with the same key are the same label. */
export function labelKey(label: string): string {
  // Nearly every label, for a tenth of the time.
  if (/^[a-z]+$/i.test(label)) return label.toLowerCase();
  return label.normalize("NFKC").trim().replaceAll(/\s+/g, " ").toLowerCase();
}

/** Key of a label -> speaker, and an error for each entry of the map that names no speaker. */
export function knownLabels(map: SpeakerMap): { known: Map<string, Speaker>; errors: FieldError[] } {
  const known = new Map<string, Speaker>([
    ["agent", "agent"],
    ["customer", "customer"],
  ]);
  const errors: FieldError[] = [];
  for (const [label, speaker] of Object.entries(map)) {
    if (speaker === "agent" || speaker === "customer") known.set(labelKey(label), speaker);
    else {
      const message = "maps to no speaker";
      errors.push({ pointer: pointer("speaker_map", label), message, expected: SPEAKERS, received: shown(speaker) });
    }
  }
  return { known, errors };
}

export interface UnknownLabel {
  readonly label: string;
  n: number;
  readonly first: number;
}

export function countLabel(found: Map<string, UnknownLabel>, label: string, key: string, index: number): void {
  const seen = found.get(key);
  if (seen) seen.n++;
  else found.set(key, { label, n: 1, first: index });
}

/** What the labels are, how often each stands there, and a speaker_map to copy. */
export function unknownError(at: string, labels: readonly UnknownLabel[]): FieldError {
  const sorted = labels.toSorted((a, b) => b.n - a.n || a.first - b.first);
  const listed = sorted.slice(0, 10).map((l) => `${JSON.stringify(clip(l.label))} (${l.n})`);
  const rest = sorted.length - listed.length;
  // An example to copy: the label that sounds like the seller, else the one that speaks first, as the agent.
  const two = sorted.slice(0, 2).toSorted((a, b) => a.first - b.first);
  const seller = two.find((l) => /agent|rep\b|sales|sell|advis|consult|host|staff|support/i.test(l.label)) ?? two[0];
  const example = Object.fromEntries(two.map((l) => [clip(l.label), l === seller ? "agent" : "customer"]));
  return {
    pointer: at,
    message:
      `unknown speaker labels: ${listed.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}. ` +
      `Say who they are with speaker_map, for example "speaker_map": ${JSON.stringify(example)}`,
    expected: `${SPEAKERS}, or a label of speaker_map`,
    received: sorted
      .slice(0, 10)
      .map((l) => clip(l.label))
      .join(", "),
  };
}
