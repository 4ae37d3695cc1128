import { Badge } from "@mantine/core";
import type { CallRow } from "../api-types.ts";

const STATES = {
  pending: { color: "gray", text: "Waiting" },
  running: { color: "indigo", text: "In work" },
  degraded: { color: "yellow", text: "Word list" },
  dead: { color: "red", text: "Failed" },
} as const;

/** Says what is not usual about a call's insights; an enriched call needs no word. */
export function EnrichmentState({ state }: { readonly state: CallRow["enrichment"]["state"] }) {
  if (state === "enriched") return null;
  return (
    <Badge size="sm" radius="sm" variant="light" color={STATES[state].color} className="state">
      {STATES[state].text}
    </Badge>
  );
}
