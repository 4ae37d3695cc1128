/** An event stream (SSE) as streams see it. Its head is written with the first message, so that a refusal before is a
 *  problem like any other. */
import type { FastifyReply } from "fastify";
import type { ServerResponse } from "node:http";
import { AppError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import { CLOSE } from "../services/stream-client.ts";
import type { Connection, Parcel } from "../services/stream-client.ts";
import { COMMENT, toEvents } from "./stream-frames.ts";

/** A client that reads nothing does not read the end either. */
const CLOSE_MS = 5_000;

const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  [CLOSE.too_many]: "too_many_requests",
  [CLOSE.restarting]: "shutting_down",
};

export class EventStream implements Connection {
  readonly #reply: FastifyReply;
  readonly #raw: ServerResponse;
  #refusal: AppError | null = null;
  #ended = false;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
    this.#raw = reply.raw;
  }

  /** From here on the reply is a stream. @throws AppError why it is none */
  begin(): void {
    if (this.#refusal !== null) throw this.#refusal;
    this.#reply.hijack();
    this.#head();
  }

  push(parcel: Parcel): void {
    if (this.#ended) return;
    this.#head();
    this.#raw.write(toEvents(parcel));
  }

  beat(): void {
    if (!this.#ended && this.#raw.headersSent) this.#raw.write(COMMENT);
  }

  waiting(): number {
    return this.#raw.writableLength;
  }

  drained(): Promise<void> {
    const raw = this.#raw;
    if (!raw.writableNeedDrain || raw.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        raw.off("drain", done).off("close", done);
        resolve();
      };
      raw.on("drain", done).on("close", done);
    });
  }

  close(code: number, reason: string, retry_ms?: number): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#raw.headersSent) {
      const retryAfter = retry_ms === undefined ? 1 : Math.ceil(retry_ms / 1000);
      this.#refusal = new AppError(REFUSALS[code] ?? "internal", reason, { retryAfter });
      return;
    }
    const retry = retry_ms === undefined ? "" : `retry: ${retry_ms}\n`;
    this.#raw.end(`event: close\n${retry}data: ${JSON.stringify({ code, reason })}\n\n`);
    if (code === CLOSE.too_slow) setTimeout(() => this.#raw.destroy(), CLOSE_MS).unref();
  }

  #head(): void {
    if (this.#raw.headersSent) return;
    this.#raw.writeHead(200, {
      ...(this.#reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      connection: "close",
      // A proxy that collects answers would hold messages back.
      "x-accel-buffering": "no",
    });
    this.#raw.flushHeaders();
  }
}
