/** One timer for all connections of a kind: each is looked at once in an interval, a part of them at a time. */

const PARTS = 16;

export interface Pulse<T> {
  add(connection: T): void;
  remove(connection: T): void;
  stop(): void;
}

export function startPulse<T>(interval_ms: number, beat: (connection: T) => void): Pulse<T> {
  const parts = Array.from({ length: PARTS }, () => new Set<T>());
  let added = 0;
  let turn = 0;
  const timer = setInterval(() => {
    for (const connection of parts[turn++ % PARTS] ?? []) beat(connection);
  }, interval_ms / PARTS);
  timer.unref();
  return {
    add: (connection) => void parts[added++ % PARTS]?.add(connection),
    remove(connection) {
      for (const part of parts) if (part.delete(connection)) return;
    },
    stop: () => clearInterval(timer),
  };
}
