/** The list's filters, order and page as the address says them. */
import type { ListQuery } from "../queries.ts";
import { navigate } from "../router.tsx";

export const PAGE_SIZE = 25;

export interface ListState {
  readonly agent_id?: string;
  readonly outcome?: "won" | "lost" | "open";
  readonly from_date?: string;
  readonly to_date?: string;
  readonly min_sentiment?: number;
  readonly max_sentiment?: number;
  readonly sort?: string;
  readonly cursor?: string;
  /** Counts from 1; only to say which calls are shown. */
  readonly page: number;
}

export const NO_FILTER = {
  agent_id: "",
  outcome: "",
  from_date: "",
  to_date: "",
  min_sentiment: "",
  max_sentiment: "",
};

const OUTCOMES = ["won", "lost", "open"] as const;

export function readListState({ searchParams }: URL): ListState {
  const text = (name: string) => searchParams.get(name) || undefined;
  const score = (name: string) => {
    const value = Number(text(name) ?? Number.NaN);
    return value >= -1 && value <= 1 ? value : undefined;
  };
  const outcome = OUTCOMES.find((o) => o === text("outcome"));
  const given = {
    agent_id: text("agent_id"),
    outcome,
    from_date: text("from_date"),
    to_date: text("to_date"),
    min_sentiment: score("min_sentiment"),
    max_sentiment: score("max_sentiment"),
    sort: text("sort"),
    cursor: text("cursor"),
  };
  const known = Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined));
  return { ...known, page: Math.max(1, Math.floor(Number(text("page") ?? 1)) || 1) };
}

export function toQuery({ page: _page, ...filters }: ListState): ListQuery {
  return { ...filters, limit: PAGE_SIZE };
}

export function isFiltered(state: ListState): boolean {
  return Object.keys(NO_FILTER).some((name) => name in state);
}

/** The address with these changes; an empty text takes a parameter out. A changed filter or order starts at the first page. */
export function withChanges(url: URL, changes: Readonly<Record<string, string>>): string {
  const params = new URLSearchParams(url.searchParams);
  for (const name of ["cursor", "page"]) params.delete(name);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") params.delete(name);
    else params.set(name, value);
  }
  return params.size > 0 ? `/?${params}` : "/";
}

/** How many pages back the browser's history holds; kept beside the entry, so that it survives a reload. */
export function stepsBack(): number {
  const state = history.state as { stepsBack?: number } | null;
  return state?.stepsBack ?? 0;
}

export function nextPage(url: URL, cursor: string, page: number): void {
  navigate(withChanges(url, { cursor, page: String(page + 1) }), { state: { stepsBack: stepsBack() + 1 } });
}
