/** Loads the index from SQL at start. */
import type { VectorKind, VectorRows } from "../../ports/vectors.ts";
import type { EmbeddedVectors } from "./embedded.ts";

/** Rows read at a time: an adapter may read on the event loop, which is to be free again after some milliseconds. */
const STEP = 2_000;

/**
 * Loads every row of `kind` in the space, in chunks; the number of rows loaded. Upserts and removals made meanwhile
 * win over what is read here, so changes may be followed from before the fill begins.
 * `onProgress` is told the rows so far after each chunk. The buffers that `rows.scan` answers are used up.
 */
export async function fill(
  vectors: EmbeddedVectors,
  rows: Pick<VectorRows, "scan">,
  kind: VectorKind,
  spaceId: string,
  onProgress: (rows: number) => void = () => {},
): Promise<number> {
  let done = 0;
  await vectors.beginFill(kind);
  try {
    // The next chunk is read while the thread takes the last one.
    let taken: Promise<void> = Promise.resolve();
    for (let after = 0; ; ) {
      const [chunk] = await Promise.all([rows.scan(kind, spaceId, after, STEP), taken]);
      const last = chunk.call_no.at(-1);
      if (last === undefined) break;
      after = last;
      done += chunk.call_no.length;
      taken = vectors.fill(kind, chunk);
      onProgress(done);
    }
  } finally {
    await vectors.endFill(kind);
  }
  return done;
}
