/** Clients of streams that keep what they get and let tests wait for it: one over a WebSocket, one over SSE. */
import { WebSocket } from "ws";

export interface StreamMessage {
  readonly type: string;
  readonly seq: number;
  /** Of the sentiment stream: what seq is of. */
  readonly of?: string;
  readonly [name: string]: unknown;
}

export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** What was got so far, and a way to wait for more. */
class Received {
  readonly messages: StreamMessage[] = [];
  #waiting: (() => void)[] = [];

  take(message: StreamMessage): void {
    this.messages.push(message);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The first message that fits, from the `from`th on. */
  async next(fits: (m: StreamMessage) => boolean, from = 0): Promise<StreamMessage> {
    for (;;) {
      const found = this.messages.slice(from).find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** seq of each event of the log. */
  seqs(): number[] {
    return this.messages.filter((m) => m.type.includes(".")).map((m) => m.seq);
  }

  /** What the next connection asks for. */
  get position(): number {
    return this.messages.at(-1)?.seq ?? 0;
  }
}

export class SocketClient extends Received {
  readonly ws: WebSocket;
  readonly closed: Promise<Ended>;

  constructor(url: string, headers: Record<string, string>) {
    super();
    this.ws = new WebSocket(url.replace("http", "ws"), { headers });
    this.ws.on("message", (data) => this.take(JSON.parse((data as Buffer).toString("utf8")) as StreamMessage));
    this.ws.on("error", () => {});
    this.closed = new Promise((resolve) =>
      this.ws.once("close", (code, reason) => resolve({ code, reason: reason.toString("utf8") })),
    );
  }

  say(message: unknown): void {
    const text = JSON.stringify(message);
    if (this.ws.readyState === WebSocket.CONNECTING) this.ws.once("open", () => this.ws.send(text));
    else this.ws.send(text);
  }
}

/** An event stream; `id` and `event` are held against the message that they come with. */
export class EventClient extends Received {
  readonly abort = new AbortController();
  /** Of the last `retry:` line, ms. */
  retry: number | null = null;
  comments = 0;
  readonly status: Promise<number>;
  readonly closed: Promise<Ended | null>;

  constructor(url: string, headers: Record<string, string>) {
    super();
    const answer = fetch(url, { headers, signal: this.abort.signal });
    this.status = answer.then((r) => r.status);
    this.closed = answer.then((r) => this.#read(r)).catch(() => null);
  }

  async #read(response: Response): Promise<Ended | null> {
    if (!response.ok || response.body === null) return null;
    let rest = "";
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const ended = this.#block(block);
        if (ended) return ended;
      }
    }
    return null;
  }

  #block(block: string): Ended | null {
    if (block.startsWith(":")) {
      this.comments++;
      return null;
    }
    const fields = new Map(block.split("\n").map((line) => /^(\w+): (.*)$/.exec(line)?.slice(1) as [string, string]));
    if (fields.has("retry")) this.retry = Number(fields.get("retry"));
    const data = JSON.parse(fields.get("data") ?? "null") as StreamMessage;
    if (fields.get("event") === "close") return data as unknown as Ended;
    const id = data.of === undefined ? `${data.seq}` : `${data.seq}@${data.of}`;
    if (fields.get("event") !== data.type || fields.get("id") !== id) throw new Error(`not one: ${block}`);
    this.take(data);
    return null;
  }
}
