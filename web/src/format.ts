/** Numbers and times as people read them. */
const MINUS = "\u2212";
const decimals = (digits: number) =>
  new Intl.NumberFormat("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: "negative",
  });
const plain = [0, 1, 2].map(decimals);

/** A score of −1..1 with its sign: "+0.12", "−0.30", "0.00". */
export function signed(value: number): string {
  const text = plain[2]?.format(Math.abs(value)) ?? "";
  if (text === "0.00") return text;
  return `${value < 0 ? MINUS : "+"}${text}`;
}

/** A number of 0..1 as "62 %". */
export function percent(value: number): string {
  return `${Math.round(value * 100)}\u00A0%`;
}

export function count(value: number): string {
  return new Intl.NumberFormat("en").format(value);
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

/** Seconds as "2:28" or "1:02:03". */
export function clock(seconds: number): string {
  const all = Math.round(seconds);
  const parts = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const [h = 0, m = 0, s = 0] = parts;
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

interface Figure {
  readonly figure: string;
  /** Empty where the figure says it. */
  readonly unit: string;
}

/** A measure's value in the unit that people read it in. */
export function measure(value: number, unit: string): Figure {
  switch (unit) {
    case "ratio":
      return { figure: percent(value), unit: "" };
    case "score":
      return { figure: signed(value), unit: "" };
    case "ms":
      return duration(value / 1000);
    case "s":
      return duration(value);
    case "count":
      return { figure: count(value), unit: "" };
    default:
      return { figure: plain[value < 10 ? 1 : 0]?.format(value) ?? "", unit };
  }
}

function duration(seconds: number): Figure {
  if (seconds >= 60) return { figure: clock(seconds), unit: "min" };
  return { figure: plain[1]?.format(seconds) ?? "", unit: "s" };
}

const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** "Fri, 20 Nov 2026" in the reader's time zone. */
export function dayOf(instant: string): string {
  return day.format(new Date(instant));
}

export function timeOf(instant: string): string {
  return time.format(new Date(instant));
}

/** "3 days ago". */
export function ago(instant: string, now: number = Date.now()): string {
  const seconds = (Date.parse(instant) - now) / 1000;
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  return step ? relative.format(Math.round(seconds / step[1]), step[0]) : "just now";
}

/** "dean.novak" as "Dean Novak"; ids that do not look like a name stay as they are. */
export function agentName(id: string): string {
  if (!/^[a-z]+(?:\.[a-z]+)+$/.test(id)) return id;
  return id
    .split(".")
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join(" ");
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
