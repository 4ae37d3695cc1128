/** What an error says of itself without what it was about: its message may quote somebody's words. */

/** "TypeError at encoder.ts:61": the name, and the first place of its stack. */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { name, message, stack = "" } = error;
  // The stack begins with the message, which may look like a place itself.
  const head = stack.indexOf(message);
  const frames = head < 0 ? "" : stack.slice(head + message.length);
  const place = /\n\s+at .*?([\w.-]+\.[cm]?[jt]s:\d+)/.exec(frames)?.[1];
  return place === undefined ? name : `${name} at ${place}`;
}
