import type { Socket } from "socket.io";
import { CLOSE } from "../services/stream-client.ts";
import type { Connection, Parcel, Session } from "../services/stream-client.ts";

export type StreamName = "feed" | "sentiment" | "figures";

/** One stream that a Socket.IO client follows. */
export class Subscription implements Connection {
  readonly #socket: Socket;
  readonly #about: { readonly stream: StreamName; readonly call_id?: string };
  readonly #onEnd: () => void;
  #ended = false;
  /** Bytes that have not left this process. */
  #waiting = 0;
  #drained = Promise.withResolvers<void>();
  session: Session | null = null;
  /** Why it was closed from our side. */
  refusal: { readonly code: number; readonly message: string } | null = null;

  constructor(socket: Socket, stream: StreamName, call_id: string | null, onEnd: () => void) {
    this.#socket = socket;
    this.#about = { stream, ...(call_id !== null && { call_id }) };
    this.#onEnd = onEnd;
  }

  push(parcel: Parcel): void {
    const { conn } = this.#socket;
    if (this.#ended || conn.readyState !== "open") return;
    const { packets, bytes } = toPackets(this.#about.stream, parcel);
    this.#waiting += bytes;
    // What the TCP socket does not take stays with Socket.IO, which tells when a packet has gone.
    const gone = (): void => {
      this.#waiting -= bytes;
      if (this.#waiting === 0) this.#drained.resolve();
    };
    const last = packets.at(-1);
    for (const packet of packets) conn.write(packet, undefined, packet === last ? gone : undefined);
  }

  waiting(): number {
    return this.#waiting;
  }

  drained(): Promise<void> {
    if (this.#waiting === 0 || this.#ended) return Promise.resolve();
    this.#drained = Promise.withResolvers();
    return this.#drained.promise;
  }

  close(code: number, reason: string, retry_ms?: number): void {
    this.refusal = { code, message: reason };
    const retry = retry_ms !== undefined && { retry_ms };
    // A client that reads nothing would not read this either, and not answer a close.
    if (code === CLOSE.too_slow) this.#socket.request.socket.destroy();
    else this.#socket.emit("closed", { ...this.#about, code, reason, ...retry });
    // Its clients come back by themselves where the connection ends, and not where they are told to go.
    if (code === CLOSE.restarting) setImmediate(() => this.#socket.conn.close());
    if (code === CLOSE.unauthorized) setImmediate(() => this.#socket.disconnect(true));
    // Whoever opens it has the session only then.
    queueMicrotask(() => this.end());
  }

  /** It is over, for whichever reason. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#drained.resolve();
    this.session?.ended();
    this.#onEnd();
  }
}

interface Packets {
  readonly packets: readonly string[];
  readonly bytes: number;
}

const known = new WeakMap<Parcel, Packets>();

/** The Socket.IO packets of a parcel, made once for all who get it: an event (2) of the main namespace. */
function toPackets(stream: StreamName, parcel: Parcel): Packets {
  const before = known.get(parcel);
  if (before) return before;
  const packets = parcel.map(({ text }) => `2["${stream}",${text}]`);
  const made = { packets, bytes: packets.reduce((sum, packet) => sum + Buffer.byteLength(packet), 0) };
  known.set(parcel, made);
  return made;
}
