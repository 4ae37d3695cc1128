/** Preloaded into a server (NODE_OPTIONS=--import): its model threads are those of faulty-model-thread.ts. */
import { syncBuiltinESMExports } from "node:module";
import workerThreads, { Worker, type WorkerOptions } from "node:worker_threads";

const faulty = new URL("./faulty-model-thread.ts", import.meta.url);

workerThreads.Worker = class extends Worker {
  constructor(script: string | URL, options?: WorkerOptions) {
    super(String(script).endsWith("/model-thread.ts") ? faulty : script, options);
  }
};
syncBuiltinESMExports();
