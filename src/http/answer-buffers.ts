/**
 * Memory for answers of some kilobytes, used again once they are sent. Left to the garbage collector a call's answer of 11 KB
 * grows what V8 counts as external memory until it marks the whole heap, every thousand requests: an eighth of the
 * server's CPU time by id.
 */
import type { FastifyReply } from "fastify";

/** Nearly every call fits; what does not has memory of its own. */
const BUFFER_BYTES = 65_536;
/** 4 MB. */
const KEPT = 64;

export interface AnswerBuffers {
  /** At least so many bytes for the body of this reply. Whoever keeps them longer than the reply is under way makes a copy. */
  lend(reply: FastifyReply, bytes: number): Buffer;
}

export function createAnswerBuffers(): AnswerBuffers {
  const free: Buffer[] = [];
  return {
    lend(reply, bytes) {
      if (bytes > BUFFER_BYTES) return Buffer.allocUnsafe(bytes);
      const buffer = free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
      // Comes when the system has all of the answer. Where the connection ends before, it may not come: then the buffer is garbage.
      reply.raw.on("finish", () => {
        if (free.length < KEPT) free.push(buffer);
      });
      return buffer;
    },
  };
}
