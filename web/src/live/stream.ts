/** Follows one stream of numbered messages over a WebSocket, and goes on where it was cut off. */
import { useEffect, useEffectEvent, useState } from "react";
import type { StreamMessage } from "./stream-message.ts";

/** "ended": the server will send no more; asking again would not help. */
export type StreamState = "connecting" | "open" | "reconnecting" | "ended";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** The sign-in has ended, access was taken away, there is no such call: trying again gives the same. */
const FINAL_CODES: ReadonlySet<number> = new Set([4400, 4401, 4403, 4404]);

/**
 * Follows `path` while the view is there; null follows nothing. A connection that is lost goes on after the newest
 * message that came.
 */
export function useStream(path: string | null, onMessage: (message: StreamMessage) => void): StreamState {
  const [state, setState] = useState<StreamState>("connecting");
  const tell = useEffectEvent(onMessage);
  useEffect(() => {
    if (path === null) return;
    return follow(path, (message) => tell(message), setState);
  }, [path]);
  return state;
}

/** Returns what ends it. */
function follow(
  path: string,
  onMessage: (message: StreamMessage) => void,
  onState: (state: StreamState) => void,
): () => void {
  let place: Pick<StreamMessage, "seq" | "of"> = {};
  let failures = 0;
  let timer: number | undefined;
  let socket: WebSocket;

  const connect = (): void => {
    clearTimeout(timer);
    const url = new URL(path, location.href.replace(/^http/, "ws"));
    if (place.seq !== undefined) url.searchParams.set("after", String(place.seq));
    if (place.of !== undefined) url.searchParams.set("of", place.of);
    socket = new WebSocket(url);
    socket.addEventListener("message", receive);
    socket.addEventListener("close", lost);
  };
  const receive = ({ data }: MessageEvent<string>): void => {
    const message = JSON.parse(data) as StreamMessage;
    failures = 0;
    if (message.seq !== undefined) place = message;
    onState("open");
    onMessage(message);
  };
  const lost = ({ code, reason }: CloseEvent): void => {
    if (FINAL_CODES.has(code)) {
      removeEventListener("online", hurry);
      onState("ended");
      return;
    }
    onState("reconnecting");
    timer = setTimeout(connect, hinted(reason) ?? pause(failures));
    failures++;
  };
  // A machine that wakes up, or finds its network again, need not sit the pause out.
  const hurry = (): void => {
    if (socket.readyState === WebSocket.CLOSED && timer !== undefined) connect();
  };
  addEventListener("online", hurry);
  connect();
  return () => {
    removeEventListener("online", hurry);
    clearTimeout(timer);
    socket.removeEventListener("close", lost);
    socket.removeEventListener("message", receive);
    socket.close();
  };
}

/** A server that goes down says when to come back, each client another time. */
function hinted(reason: string): number | null {
  const ms = /reconnect after (\d+) ms/.exec(reason)?.[1];
  return ms === undefined ? null : Number(ms);
}

/** Doubling, and spread, so that not all pages come back at once. */
function pause(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}
