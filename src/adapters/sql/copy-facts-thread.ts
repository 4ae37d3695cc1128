/** Describes one copy and ends. */
import { parentPort, workerData } from "node:worker_threads";
import { copyFacts } from "./copy-facts.ts";

const STEP_MS = 200;
let told = 0;
const facts = copyFacts(workerData as string, (done, total) => {
  if (performance.now() - told < STEP_MS) return;
  told = performance.now();
  parentPort?.postMessage({ done, total });
});
parentPort?.postMessage({ facts });
