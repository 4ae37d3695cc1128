/** Preloaded into a server (NODE_OPTIONS=--import): the thread of its vector index is that of faulty-index-thread.ts. */
import { syncBuiltinESMExports } from "node:module";
import workerThreads, { Worker, type WorkerOptions } from "node:worker_threads";

const faulty = new URL("./faulty-index-thread.ts", import.meta.url);

workerThreads.Worker = class extends Worker {
  constructor(script: string | URL, options?: WorkerOptions) {
    super(String(script).endsWith("/vectors/thread.ts") ? faulty : script, options);
  }
};
syncBuiltinESMExports();
