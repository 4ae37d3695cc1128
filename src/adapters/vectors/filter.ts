/** A filter made ready for a loop over the columns. */
import type { VectorFilter } from "../../ports/vectors.ts";
import type { Columns } from "./columns.ts";
import { CHUNK_ROWS } from "./kernel.ts";

/** Bits of a bitmap over call numbers at most: 16 MB. */
const BITMAP_RANGE = 2 ** 27;
/** Looking one call up costs about as much as testing this many rows. */
const LOOKUP_COST = 16;

/** True if the filter restricts anything beside `except`. */
export function restricts(filter: VectorFilter): boolean {
  return (
    filter.agent_ids !== undefined ||
    filter.from !== undefined ||
    filter.to !== undefined ||
    filter.call_nos !== undefined
  );
}

/**
 * Gives the slots of all rows that pass (`except` is not looked at) to `take`, block by block: it fills `list` and
 * calls take(n). Exact.
 */
export function eachPassing(
  columns: Columns,
  filter: VectorFilter,
  list: Uint32Array,
  take: (n: number) => void,
): void {
  const { call_nos } = filter;
  const from = filter.from ?? -Infinity;
  const to = filter.to ?? Infinity;
  const agents = agentFlags(columns, filter.agent_ids);
  let n = 0;

  if (call_nos !== undefined) {
    if (call_nos.length === 0) return;
    const low = call_nos[0] as number;
    const range = (call_nos.at(-1) as number) - low + 1;
    if (call_nos.length * LOOKUP_COST < columns.rows || range > BITMAP_RANGE) {
      for (const call_no of call_nos) {
        for (const slot of columns.slotsOf(call_no)) {
          const c = columns.chunkOf(slot);
          const i = slot % CHUNK_ROWS;
          const time = c.start_time[i] as number;
          if (time < from || time > to) continue;
          if (agents !== null && agents[c.agent[i] as number] === 0) continue;
          list[n++] = slot;
          if (n === list.length) {
            take(n);
            n = 0;
          }
        }
      }
      if (n > 0) take(n);
      return;
    }
  }

  const bits = call_nos === undefined ? null : bitmap(call_nos);
  const low = call_nos?.[0] ?? 0;
  const byTime = filter.from !== undefined || filter.to !== undefined;
  for (let base = 0; base < columns.rows; base += CHUNK_ROWS) {
    const c = columns.chunkOf(base);
    const end = Math.min(CHUNK_ROWS, columns.rows - base);
    for (let i = 0; i < end; i++) {
      if (agents !== null && agents[c.agent[i] as number] === 0) continue;
      if (byTime) {
        const time = c.start_time[i] as number;
        if (time < from || time > to) continue;
      }
      if (bits !== null) {
        const at = (c.call_no[i] as number) - low;
        // Outside the range the byte is undefined (or the shift negative): not in the set.
        if (at < 0 || (((bits[at >>> 3] ?? 0) >> (at & 7)) & 1) === 0) continue;
      }
      list[n++] = base + i;
      if (n === list.length) {
        take(n);
        n = 0;
      }
    }
  }
  if (n > 0) take(n);
}

function agentFlags(columns: Columns, agent_ids: readonly string[] | undefined): Uint8Array | null {
  if (agent_ids === undefined) return null;
  const flags = new Uint8Array(columns.agentCodes);
  for (const id of agent_ids) {
    const code = columns.agentCode(id);
    if (code !== undefined) flags[code] = 1;
  }
  return flags;
}

function bitmap(call_nos: Uint32Array): Uint8Array {
  const low = call_nos[0] as number;
  const range = (call_nos.at(-1) as number) - low + 1;
  const bits = new Uint8Array((range + 7) >>> 3);
  for (const call_no of call_nos) {
    const at = call_no - low;
    bits[at >>> 3] = (bits[at >>> 3] as number) | (1 << (at & 7));
  }
  return bits;
}
