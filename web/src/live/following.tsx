import type { StreamState } from "./stream.ts";

const WORDS: Readonly<Record<StreamState, string>> = {
  connecting: "Connecting …",
  open: "Following",
  reconnecting: "Reconnecting …",
  ended: "Not following",
};

/** Whether what is shown is what goes on now. */
export function Following({ state }: { readonly state: StreamState }) {
  return (
    <p className="following small" role="status" data-state={state}>
      {WORDS[state]}
    </p>
  );
}
