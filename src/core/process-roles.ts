/** What a process does: any number of processes may have each role, and one process may have several. */

/**
 * api: the HTTP API and the page. worker: enrichment. realtime: sockets, event streams, calls that go on. relay: what
 * one process does at a time (copies of the log elsewhere, the nightly upkeep); further relays stand by.
 */
export const PROCESS_ROLES = ["api", "worker", "realtime", "relay"] as const;
export type ProcessRole = (typeof PROCESS_ROLES)[number];
export type ProcessRoles = ReadonlySet<ProcessRole>;

export const ALL_PROCESS_ROLES: ProcessRoles = new Set(PROCESS_ROLES);

/** What a copy of another Earshot can be: the one that it copies does the rest. */
export const SERVING_ROLES: ProcessRoles = new Set(["api", "realtime"]);

/** Reads `all`, one role, or several with commas between; null where there is another word. */
export function readProcessRoles(text: string): ProcessRoles | null {
  if (text.trim() === "all") return ALL_PROCESS_ROLES;
  const roles = new Set<ProcessRole>();
  for (const word of text.split(",")) {
    const role = PROCESS_ROLES.find((known) => known === word.trim());
    if (role === undefined) return null;
    roles.add(role);
  }
  return roles;
}

/** "the role api", or "the roles api and worker". */
export function nameRoles(roles: ProcessRoles): string {
  const names = PROCESS_ROLES.filter((role) => roles.has(role));
  if (names.length < 2) return `the role ${names.join("")}`;
  return `the roles ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
