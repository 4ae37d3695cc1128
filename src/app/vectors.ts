/** The vector index that is served. */
import type { Store } from "../adapters/sql/store.ts";
import { openVectors } from "../adapters/vectors/embedded.ts";
import { fill } from "../adapters/vectors/fill.ts";
import type { Log } from "../observe/logger.ts";
import type { Stream } from "../ports/stream.ts";
import { createIndexHost } from "../services/index-host.ts";
import type { IndexHost } from "../services/index-host.ts";
import { createSharedIndex } from "../services/shared-index.ts";

/** The vector index that is served: this process's own, or the database's with one of our own to stand in. */
export function openIndex(
  { store, stream, log }: { store: Store; stream: Stream; log: Log },
  onDegraded: (whole: boolean) => void,
): IndexHost {
  const onChange = (whole: boolean) => {
    onDegraded(whole);
    if (whole) log.info("the vector index is whole again");
    else log.warn("the vector index is away: search goes by words until it is loaded again");
  };
  const embedded = (onChange: (whole: boolean) => void) =>
    createIndexHost({
      events: stream,
      rows: store.vectorRows,
      open(space_id) {
        const vectors = openVectors({ rows: store.vectorRows, spaceId: space_id, log });
        const { ended } = vectors;
        return { vectors, ended, fill: (kind) => fill(vectors, store.vectorRows, kind, space_id) };
      },
      onError: (error) => log.error({ error }, "the vector index could not follow the store; it will try again"),
      onChange,
    });
  if (store.points === undefined) return embedded(onChange);
  return createSharedIndex({
    shared: store.points,
    standIn: embedded,
    onError: (error) => log.error({ error }, "the index in the database cannot be used; it will be tried again"),
    onChange,
    onServe: (by) =>
      log.info(by === "database" ? "the database finds similar vectors" : "an index here stands in for the database's"),
  });
}
