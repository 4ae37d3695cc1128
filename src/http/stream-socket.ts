/** A WebSocket as streams see it: frames come encoded and go straight to its TCP socket, a parcel in one write. */
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { CLOSE } from "../services/stream-client.ts";
import type { Connection, Parcel, Session } from "../services/stream-client.ts";
import { PING, toFrames } from "./stream-frames.ts";

export class StreamSocket extends WebSocket implements Connection {
  /** What ws writes its own frames to: it writes whole ones, so that ours may stand between them. */
  duplex: Duplex | null = null;
  session: Session | null = null;
  /** Came before the credentials were looked at. */
  early: string[] | null = null;
  /** Answered the last ping, or has just come. */
  alive = true;

  push(parcel: Parcel): void {
    if (this.readyState === WebSocket.OPEN) this.duplex?.write(toFrames(parcel));
  }

  waiting(): number {
    return this.duplex?.writableLength ?? 0;
  }

  drained(): Promise<void> {
    const { duplex } = this;
    if (!duplex?.writableNeedDrain || duplex.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        duplex.off("drain", done).off("close", done);
        resolve();
      };
      duplex.on("drain", done).on("close", done);
    });
  }

  /** False when the last one was not answered. */
  beat(): boolean {
    if (!this.alive) return false;
    this.alive = false;
    if (this.readyState === WebSocket.OPEN) this.duplex?.write(PING);
    return true;
  }

  override close(code?: number, reason?: string | Buffer): void {
    // ws closes too large messages by itself, with the protocol's 1009; ours is the code that clients rely on.
    if (code === 1009) super.close(CLOSE.too_large, "more than 64 KB");
    else super.close(code, reason);
  }
}
