import { type Line, linesOf, type Results, said, short, table } from "./page-figures.ts";

const LAST_MS = 50;
const KB_EACH = 8;
const MESSAGES_PER_S = 60_000;

const verdict = (met: boolean) => (met ? "met" : "**missed**");
const number = (line: Line, key: string): number => Number(line[key]);
const both = (line: Line, p50: string, p99: string) => `${short(number(line, p50))} / ${short(number(line, p99))}`;

function over(lines: readonly Line[], key: string): string {
  const sorted = lines.map((line) => number(line, key)).toSorted((a, b) => a - b);
  const middle = short(sorted[(sorted.length - 1) >> 1]);
  return sorted[0] === sorted.at(-1) ? middle : `${middle} (${short(sorted[0])}–${short(sorted.at(-1))})`;
}

/** The section of bench/sockets.ts; empty while it has no result. */
export function socketsText(results: Results): string {
  const parts = [besideText(results), aloneText(results)].filter((part) => part !== "");
  if (parts.length === 0) return "";
  return `## The feed's sockets

Calls are sent one by one, each at its time whether or not the one before was answered, and the clients, two processes beside the server,
look at the clock when they hear of one. Delays run from the sending of the call, so HTTP and (here, not with the peer) the sync to the disk are in
them; "last client" is the last of all that hear of a call.

${parts.join("\n\n")}`;
}

function besideText(results: Results): string {
  const lines = linesOf(results, "sockets", (l) => l["beside"] !== undefined);
  const [first] = lines;
  if (first === undefined) return "";
  const sides = [...new Set(lines.map((l) => said(l, "side")))];
  const of = (side: string) => lines.filter((l) => said(l, "side") === side);
  const ours = of("earshot");
  const met = ours.every((l) => number(l, "delivered_percent") === 100 && number(l, "last_p99_ms") <= LAST_MS);
  const keys = [
    "delivered_percent",
    "p50_ms",
    "p99_ms",
    "last_p50_ms",
    "last_p99_ms",
    "answered_p99_ms",
    "server_cores",
  ];
  const rows = sides.map((side) => [side, ...keys.map((key) => over(of(side), key))]);
  const head = ["", "delivered %", "p50 ms", "p99 ms", "last client p50 ms", "p99 ms", "answered p99 ms", "cores"];
  return `${short(number(first, "beside"))} sockets, ${said(first, "calls_per_s")} calls a second, ${ours.length} rounds in turn (median, smallest and largest). Goal: 100 % delivered, p99 ≤ ${LAST_MS} ms in
every round, to the last client even: ${verdict(met)}. The peer has two workers, and a client hears only of the calls that its own worker took.

${table(head, rows)}`;
}

function aloneText(results: Results): string {
  const lines = linesOf(results, "sockets", (l) => l["spread_p99_ms"] !== undefined && l["held_kb_each"] !== undefined);
  if (lines.length === 0) return "";
  const rows = lines.map((l) => {
    const messages = number(l, "sockets") * number(l, "calls_per_s");
    const kb = Math.max(number(l, "kb_each"), number(l, "held_kb_each"));
    const parts = (l["kb_each_of_parts"] as unknown as readonly number[]).toSorted((a, b) => a - b);
    return [
      short(number(l, "sockets")),
      `${short(number(l, "kb_each"))} (${short(parts[0])}–${short(parts.at(-1))})`,
      short(number(l, "held_kb_each")),
      verdict(kb <= KB_EACH),
      `${short(messages)} (${short(number(l, "messages_a_read"))})`,
      short(number(l, "delivered_percent")),
      verdict(messages >= MESSAGES_PER_S && number(l, "delivered_percent") === 100),
      both(l, "p50_ms", "p99_ms"),
      both(l, "last_p50_ms", "last_p99_ms"),
      both(l, "answered_p50_ms", "answered_p99_ms"),
      both(l, "spread_p50_ms", "spread_p99_ms"),
      short(number(l, "server_cores")),
      short(number(l, "bulk_messages_per_s")),
    ];
  });
  const head = [
    "sockets",
    "KB each",
    "held KB each",
    `≤ ${KB_EACH} KB`,
    "messages/s (a read)",
    "delivered %",
    `≥ ${short(MESSAGES_PER_S)}/s`,
    "p50 / p99 ms",
    "last client",
    "answered",
    "answer to last client",
    "cores",
    "messages/s of a bulk",
  ];
  return `Alone, one process, calls at such a rate that ${short(MESSAGES_PER_S)} messages a second leave it for ten seconds. "A read": messages that a client finds in a read; at 1 each
left in a write of its own. KB each are memory in use after a collection of garbage, of all and in brackets of quarters that were opened
one after the other: of 1,000 sockets it says little, for it moves by megabytes by itself; "held" is what V8 holds for one. A bulk's events share writes.

${table(head, rows)}

Of the event loop's time at 60,000 messages a second to 1,000 sockets, 63 % were the system's writes to sockets, 22 % idle, and all of the feed's own code 5 %
(\`--profile FOLDER\`): a message costs the server some 10 µs, nearly all of them in the kernel, which on one machine wakes the client in the same call. The
clients compete for the two cores meanwhile.`;
}
