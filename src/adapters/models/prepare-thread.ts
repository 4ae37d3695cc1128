/** Thread: makes the graphs of a freshly unpacked model folder (workerData.folder), reporting steps; any message ends it. */
import { parentPort, workerData } from "node:worker_threads";
import { makeGraph } from "./make-graph.ts";

const { folder } = workerData as { folder: string };
// Ends between two runs: terminated inside onnxruntime, a thread would take the process with it.
parentPort?.on("message", () => process.exit(1));
parentPort?.unref();
await makeGraph(folder, (message) => parentPort?.postMessage(message));
