/** What a page is made of: the runs that are shown, figures in three digits, tables. */

export interface Run {
  readonly at: string;
  readonly commit: string;
  readonly options: readonly string[];
  readonly lines: readonly Line[];
}
type Value = string | number | null | readonly object[];
/** What a bench prints; which fields are there depends on the line. */
export type Line = Readonly<Record<string, Value>>;
export type Results = Readonly<Record<string, readonly Run[]>>;

/** Of several rounds. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}
export interface Side {
  readonly label: string;
  readonly errors: number;
  readonly [key: string]: Spread | string | number;
}

/** The run a page shows: the one over the most calls, the newest of those. */
export function shown(runs: readonly Run[] | undefined, has: (line: Line) => boolean): Run | null {
  const fit = (runs ?? []).filter((run) => run.lines.some(has));
  const calls = (run: Run) => Number(run.lines.find(has)?.["calls"] ?? 0);
  return fit.toSorted((a, b) => calls(b) - calls(a) || (a.at < b.at ? 1 : -1))[0] ?? null;
}

export const linesOf = (results: Results, name: string, has: (line: Line) => boolean): readonly Line[] =>
  shown(results[name], has)?.lines.filter(has) ?? [];

export function spread(side: Side | undefined, key: string): Spread | null {
  const value = side?.[key];
  return typeof value === "object" ? value : null;
}

export function said(line: Line, key: string): string {
  const value = line[key];
  return typeof value === "string" || typeof value === "number" ? `${value}` : "–";
}

/** Three digits that mean something. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return Number(value.toFixed(digits)).toLocaleString("en");
}

export function range(side: Side | undefined, key: string): string {
  const s = spread(side, key);
  if (s === null) return "–";
  return s.min === s.max ? short(s.median) : `${short(s.median)} (${short(s.min)}–${short(s.max)})`;
}

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
