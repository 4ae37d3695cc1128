/** One thing wrong with one field. */
export interface FieldError {
  /** RFC 6901 JSON pointer into the body, or "?name" for a query parameter. */
  readonly pointer: string;
  readonly message: string;
  readonly expected: string;
  readonly received: string;
}

/** A pointer from its reference tokens: `pointer("turns", 3, "end_ms")` is "/turns/3/end_ms". */
export function pointer(...tokens: readonly (string | number)[]): string {
  return tokens.map((t) => `/${String(t).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
