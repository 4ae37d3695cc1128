/** The typed way to the public API: paths, queries and answers come from openapi.json. */
import type { Gets, Posts, Problem } from "./api-types.ts";

/** An answer, and the parts of the server that were not whole when it was made. */
export interface Answer<T> {
  readonly body: T;
  readonly degraded: readonly string[];
}

/** What went wrong in the words of the server, or that it could not be reached (status 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Partial<Problem>;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? "The server cannot be reached");
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }
}

type Params = Readonly<Record<string, string>>;

/** @throws ApiError for every answer but 2xx, and where there is none */
export function get<P extends keyof Gets>(
  path: P,
  options: { readonly params?: Params; readonly query?: Gets[P]["query"]; readonly signal?: AbortSignal } = {},
): Promise<Answer<Gets[P]["answer"]>> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  const search = query.size > 0 ? `?${query}` : "";
  return send(fill(path, options.params) + search, options.signal ? { signal: options.signal } : {});
}

/** @throws ApiError for every answer but 2xx, and where there is none */
export function post<P extends keyof Posts>(path: P, body: Posts[P]["body"]): Promise<Answer<Posts[P]["answer"]>> {
  const json =
    body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return send(path, { method: "POST", ...json });
}

function fill(path: string, params: Params = {}): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(params[name] ?? ""));
}

async function send<T>(url: string, init: RequestInit): Promise<Answer<T>> {
  const response = await reach(url, init);
  const text = await response.text();
  const body = text === "" ? undefined : parse(text);
  if (!response.ok) throw new ApiError(response.status, (body as Problem | undefined) ?? { status: response.status });
  const degraded = response.headers.get("earshot-degraded")?.split(/,\s*/) ?? [];
  return { body: body as T, degraded };
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, {});
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page instead of an answer of ours.
    return { detail: "The answer was not readable" };
  }
}
