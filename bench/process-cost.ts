/** What a server costs, from /proc: it and the processes that it started. */
import { readFileSync } from "node:fs";

function tree(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").flatMap((child) => tree(Number(child))))];
}

/** KB of memory in use. */
export function residentKb(pid: number): number {
  const kb = (id: number) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1]);
  return tree(pid).reduce((sum, id) => sum + kb(id), 0);
}

/** Seconds of processor time so far. */
export function cpuSeconds(pid: number): number {
  const seconds = (id: number): number => {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  return tree(pid).reduce((sum, id) => sum + seconds(id), 0);
}
