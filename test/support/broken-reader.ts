/** A reader thread that dies, talks nonsense, or answers, as the question's kind says. */
import { parentPort } from "node:worker_threads";

parentPort?.on("message", ({ id, question }: { id: number; question: { kind: string } }) => {
  if (question.kind === "keyword") process.exit(3);
  else if (question.kind === "list") parentPort?.postMessage({ answer: "?" });
  else parentPort?.postMessage({ id, ok: true, value: "fine" });
});
