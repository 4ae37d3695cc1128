/** RFC 3339 instants and days, read strictly: Date.parse accepts far too much. */

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

export const DAY_MS = 86_400_000;

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function midnight(year: number, month: number, day: number): number | null {
  // Years below 100 mean 19xx to Date.UTC; no call is that old.
  if (year < 100 || month < 1 || month > 12 || day < 1) return null;
  // Every month has 28: a Date is made for the last days alone.
  if (day > 28 && day > daysIn(year, month)) return null;
  return Date.UTC(year, month - 1, day);
}

/** Epoch ms of an RFC 3339 date-time with its offset ("2026-03-01T09:30:00Z"); null for anything else. A leap second
 *  is the last millisecond before it; digits beyond milliseconds are dropped. */
export function parseInstant(text: string): number | null {
  const m = INSTANT.exec(text);
  if (!m) return null;
  const start = midnight(Number(m[1]), Number(m[2]), Number(m[3]));
  const [hour, minute, second] = [Number(m[4]), Number(m[5]), Number(m[6])];
  if (start === null || hour > 23 || minute > 59 || second > 60) return null;
  const offsetHour = Number(m[9] ?? 0);
  const offsetMinute = Number(m[10] ?? 0);
  if (offsetHour > 23 || offsetMinute > 59) return null;
  const fraction = second === 60 ? -1 : Number((m[7] ?? "").padEnd(3, "0").slice(0, 3));
  const offset = (m[8] === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute) * 60_000;
  return start + hour * 3_600_000 + minute * 60_000 + second * 1_000 + fraction - offset;
}

/** Epoch ms of the start (UTC) of a day "YYYY-MM-DD"; null for anything else. */
export function parseDay(text: string): number | null {
  const m = DAY.exec(text);
  return m ? midnight(Number(m[1]), Number(m[2]), Number(m[3])) : null;
}

/** Dates that were formatted before, "YYYY-MM-DDT", by their day since 1970: a list of calls goes back and forth among few. */
const dates = new Map<number, string>();
const DATES = 4_096;

function dateOf(day: number, ms: number): string {
  const known = dates.get(day);
  if (known !== undefined) return known;
  const text = new Date(ms).toISOString().slice(0, -13);
  if (dates.size >= DATES) dates.clear();
  dates.set(day, text);
  return text;
}

/** RFC 3339 in UTC with milliseconds. @throws RangeError for what is no time */
export function formatInstant(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  const rest = Math.trunc(ms - day * DAY_MS);
  const seconds = Math.floor(rest / 1_000);
  const minutes = Math.floor(seconds / 60);
  const time = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `${dateOf(day, ms)}${time}.${String(1_000 + (rest % 1_000)).slice(1)}Z`;
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}
