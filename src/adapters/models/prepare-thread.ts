/** Thread: makes the graphs of a freshly unpacked model folder (workerData.folder), reporting steps. */
import { parentPort, workerData } from "node:worker_threads";
import { makeGraph } from "./make-graph.ts";

const { folder } = workerData as { folder: string };
await makeGraph(folder, (message) => parentPort?.postMessage(message));
