/** The thread that holds the index: a load or a scan never stops the event loop. Commands are answered in order. */
import { parentPort, workerData } from "node:worker_threads";
import type { VectorKind } from "../../ports/vectors.ts";
import { FlatIndex } from "./flat-index.ts";
import type { Answers, Command, Reply, Request, ThreadData } from "./protocol.ts";

const { options } = workerData as ThreadData;
const indexes: Record<VectorKind, FlatIndex> = {
  call: new FlatIndex(options.call),
  segment: new FlatIndex(options.segment),
};
/** Calls changed while the index is being filled: what SQL held earlier must not overwrite them. */
const touched: Record<VectorKind, Set<number> | null> = { call: null, segment: null };

const obey: { [T in Command["type"]]: (command: Extract<Command, { type: T }>) => Answers[T] } = {
  upsert({ kind, chunk }) {
    for (const call_no of chunk.call_no) touched[kind]?.add(call_no);
    indexes[kind].upsert(chunk);
    return null;
  },
  remove({ kind, call_nos }) {
    for (const call_no of call_nos) {
      touched[kind]?.add(call_no);
      indexes[kind].remove(call_no);
    }
    return null;
  },
  search: ({ kind, query, k, filter }) => ({
    hits: indexes[kind].search(query, k, filter),
    mean: indexes[kind].mean,
  }),
  fillBegin({ kind }) {
    touched[kind] = new Set();
    return null;
  },
  fill({ kind, chunk }) {
    indexes[kind].upsert(chunk, touched[kind] ?? undefined);
    return null;
  },
  fillEnd({ kind }) {
    touched[kind] = null;
    indexes[kind].settle();
    return null;
  },
  describe: () => ({
    rows: { call: indexes.call.rows, segment: indexes.segment.rows },
    bytes: indexes.call.bytes + indexes.segment.bytes,
  }),
};

parentPort?.on("message", ({ id, command }: Request) => {
  let reply: Reply;
  try {
    reply = { id, answer: (obey[command.type] as (command: Command) => Answers[keyof Answers])(command) };
  } catch (error) {
    reply = { id, failure: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply);
});
