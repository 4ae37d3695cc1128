/** What becomes of turns that are sent for a call that goes on, before anything is written: the same on both engines. */
import type { AppendedTurn, AppendLimits, NewTurn } from "../../ports/live-calls.ts";

export interface GrowingCall {
  readonly turns: number;
  /** UTF-8. */
  readonly text_bytes: number;
}

export type KnownTurn = Pick<NewTurn, "speaker" | "text" | "start_ms" | "end_ms"> & { readonly turn_index: number };

export type Plan =
  | { readonly status: "too_many" | "too_long" }
  /** `count` and `bytes`: of the call with them. */
  | {
      readonly status: "planned";
      readonly turns: readonly AppendedTurn[];
      readonly count: number;
      readonly bytes: number;
    };

/** `known`: turn_id -> the turn of the call that has it. */
export function planTurns(
  live: GrowingCall,
  turns: readonly NewTurn[],
  limits: AppendLimits,
  known: (turn_id: string) => KnownTurn | undefined,
): Plan {
  const taken = new Set(turns.flatMap(({ turn_id }) => turn_id ?? []));
  let count = live.turns;
  let bytes = live.text_bytes;
  const planned = turns.map((turn): AppendedTurn => {
    const { turn_id } = turn;
    const found = turn_id === null ? undefined : known(turn_id);
    bytes += Buffer.byteLength(turn.text) - (found ? Buffer.byteLength(found.text) : 0);
    if (turn_id !== null && found) {
      return { turn_id, turn_index: found.turn_index, status: same(turn, found) ? "unchanged" : "corrected" };
    }
    const turn_index = count++;
    return { turn_id: turn_id ?? freeId(turn_index, taken, known), turn_index, status: "appended" };
  });
  if (count > limits.turns) return { status: "too_many" };
  if (bytes > limits.text_bytes) return { status: "too_long" };
  return { status: "planned", turns: planned, count, bytes };
}

function same(a: NewTurn, b: KnownTurn): boolean {
  return a.speaker === b.speaker && a.text === b.text && a.start_ms === b.start_ms && a.end_ms === b.end_ms;
}

/** As stored calls have them, by index. */
export const madeId = (turn_index: number): string => `t${turn_index + 1}`;

/** t3, or t3_2 where that is somebody's own. */
function freeId(turn_index: number, taken: Set<string>, known: (turn_id: string) => KnownTurn | undefined): string {
  const first = madeId(turn_index);
  let id = first;
  for (let k = 2; taken.has(id) || known(id); k++) id = `${first}_${k}`;
  taken.add(id);
  return id;
}
