/** What a server costs, from /proc: it and the processes that it started. */
import { readFileSync } from "node:fs";

function tree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").flatMap((child) => tree(Number(child))))];
}

function ownKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function ownSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** KB of memory in use. */
export function residentKb(pid: number): number {
  return tree(pid).reduce((sum, id) => sum + ownKb(id), 0);
}

/** Seconds of processor time so far. */
export function cpuSeconds(pid: number): number {
  return tree(pid).reduce((sum, id) => sum + ownSeconds(id), 0);
}
