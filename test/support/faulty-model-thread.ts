/**
 * A model thread that misbehaves on command, then goes on as the real one: a text that holds "<hang>" stops it for good,
 * "<die>" ends it, "<throw>" makes the step that reads it throw, "<slow> n" takes n ms more. Each when its turn comes, as
 * a text that takes a thread down does: what came before it has been answered.
 */
import type { MessagePort } from "node:worker_threads";
import { parentPort } from "node:worker_threads";

const port = parentPort;
if (!port) throw new Error("runs as a worker thread only");

type Deliver = () => void;
const waiting: Deliver[] = [];
let busy = false;
function next(): void {
  const deliver = waiting.shift();
  busy = deliver !== undefined;
  deliver?.();
}

const post = port.postMessage.bind(port) as (reply: { kind: string }, transfer?: ArrayBuffer[]) => void;
port.postMessage = ((reply: { kind: string }, transfer?: ArrayBuffer[]) => {
  post(reply, transfer);
  if (reply.kind === "done" || reply.kind === "failed") next();
}) as typeof port.postMessage;

const on = port.on.bind(port) as (event: string, listener: (...args: unknown[]) => void) => MessagePort;
port.on = ((event: string, listener: (...args: unknown[]) => void) =>
  on(event, (...args) => {
    const message = args[0] as { texts?: unknown[] };
    const texts = event === "message" ? message.texts : undefined;
    if (texts === undefined) {
      listener(...args);
      return;
    }
    const says = (word: string): boolean => texts.some((t) => typeof t === "string" && t.includes(word));
    waiting.push(() => {
      if (says("<hang>")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      const slow = /<slow> (\d+)/.exec(texts.join(" "))?.[1];
      if (slow !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(slow));
      if (says("<die>")) process.exit(3);
      if (says("<throw>")) {
        listener({ ...message, texts: texts.map((t) => (String(t).includes("<throw>") ? null : t)) });
      } else listener(...args);
    });
    if (!busy) next();
  })) as typeof port.on;
await import("../../src/adapters/models/model-thread.ts");
