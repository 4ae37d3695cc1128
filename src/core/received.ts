/** How a wrong value is shown in an error: short values as they are, others by their type. */

export function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : value === undefined ? "nothing" : typeof value;
}

export function shown(value: unknown): string {
  return typeof value === "number" || typeof value === "string" ? clip(String(value)) : typeName(value);
}

/** At most 60 characters of one line. */
export function clip(text: string): string {
  const line = text
    .toWellFormed()
    .trim()
    .replaceAll(/\p{Cc}/gu, " ");
  return line.length <= 60 ? line : `${line.slice(0, 59).toWellFormed()}…`;
}
