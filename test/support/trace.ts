/**
 * What a server did to its log file and its sockets, from a trace of its system calls, and whether each answer that
 * acknowledges a write came after the disk had it.
 *
 * The tracer is one process: a call's first line stands before the kernel runs it, its last line after. So "ends on an
 * earlier line than the other begins" is an order of time, whatever the threads.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** Arguments for `strace`; the traced program follows. The tracer is a grandchild, so signals reach the program. */
export function straceArguments(file: string): string[] {
  const calls = "trace=write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync";
  return ["-D", "-f", "-y", "--seccomp-bpf", "-s", "1048576", "-e", calls, "-o", file];
}

interface SystemCall {
  readonly name: string;
  /** Numbers of the first and the last line of the call; equal where nothing came between. */
  readonly begin: number;
  readonly end: number;
  readonly path: string;
  /** The arguments after the file, as the tracer prints them. */
  readonly text: string;
}

const CALL = /^(\d+) +(\w+)\((\d+)<([^>]*)>(.*)$/;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>/;

/** The finished calls of a trace in the order of their ends. */
export async function readTrace(file: string): Promise<SystemCall[]> {
  const calls: SystemCall[] = [];
  const open = new Map<string, SystemCall>();
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file, "latin1") })) {
    line++;
    const resumed = RESUMED.exec(text);
    if (resumed) {
      const begun = open.get(resumed[1] as string);
      open.delete(resumed[1] as string);
      if (begun) calls.push({ ...begun, end: line });
      continue;
    }
    const [, thread, name, , path, rest] = CALL.exec(text) ?? [];
    if (thread === undefined || name === undefined || path === undefined || rest === undefined) continue;
    const call = { name, begin: line, end: line, path, text: rest };
    if (rest.endsWith("<unfinished ...>")) open.set(thread, call);
    else calls.push(call);
  }
  return calls;
}

/** An answer to look for: the request id it carries, and the events whose transaction it acknowledges. */
export interface Acknowledged {
  readonly request_id: string;
  readonly events: readonly { readonly type: string; readonly call_id: string }[];
}

export interface Durability {
  /** Answers found in the trace. */
  readonly answers: number;
  readonly syncs: number;
  /** What was answered before it was on disk, as sentences. */
  readonly early: readonly string[];
}

/**
 * Holds each answer against the log: the event's row is in a page that went into the WAL; the transaction of that page
 * ends with a commit frame; a sync of the WAL must begin after that frame was written and end before the answer begins
 * to be sent.
 */
export function durability(trace: readonly SystemCall[], acknowledged: readonly Acknowledged[]): Durability {
  const wal = trace.filter((c) => c.path.endsWith("-wal"));
  const syncs = wal.filter((c) => c.name === "fsync" || c.name === "fdatasync");
  const commits = commitsOf(wal.filter((c) => c.name.includes("write")));
  const committed = new Map<string, SystemCall>();
  for (const { last, pages } of commits) {
    for (const page of pages) {
      for (const event of eventsIn(page.text)) if (!committed.has(event)) committed.set(event, last);
    }
  }
  const sent = new Map<string, SystemCall>();
  for (const call of trace.filter((c) => c.path.startsWith("socket:") || c.path.startsWith("TCP"))) {
    for (const [, id] of call.text.matchAll(/x-request-id: ([\w-]+)/gi)) sent.set(id as string, call);
  }
  const early: string[] = [];
  let answers = 0;
  for (const { request_id, events } of acknowledged) {
    const answer = sent.get(request_id);
    if (!answer) {
      early.push(`the answer ${request_id} is not in the trace`);
      continue;
    }
    answers++;
    for (const { type, call_id } of events) {
      const commit = committed.get(`${type} ${call_id}`);
      if (!commit) early.push(`${type} of ${call_id} is not in the log`);
      else if (!syncs.some((s) => s.begin > commit.end && s.end < answer.begin)) {
        early.push(`${request_id} acknowledged ${type} of ${call_id} with no sync in between`);
      }
    }
  }
  return { answers, syncs: syncs.length, early };
}

interface Commit {
  readonly pages: readonly SystemCall[];
  readonly last: SystemCall;
}

/**
 * Transactions in the log. A frame is a header of 24 bytes, then its page; the header of the last frame of a
 * transaction holds the size of the database in bytes 4 to 7, other headers hold 0 there.
 * Source: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
function commitsOf(writes: readonly SystemCall[]): Commit[] {
  const commits: Commit[] = [];
  let pages: SystemCall[] = [];
  let ends = false;
  for (const write of writes) {
    const length = Number(/, (\d+), \d+(?:\) += \d+| <unfinished \.\.\.>)$/.exec(write.text)?.[1]);
    if (length === 24) ends = bytesOf(write.text).slice(4, 8) !== "\0\0\0\0";
    else if (length > 32) {
      pages.push(write);
      if (!ends) continue;
      commits.push({ pages, last: write });
      pages = [];
    }
  }
  return commits;
}

/** Rows of the event log in a page: type, time (6 bytes), number of the call (0 to 3 bytes), call_id. */
function eventsIn(text: string): string[] {
  const found = bytesOf(text).matchAll(/(call\.(?:accepted|replaced|deleted))[^]{6,9}?(traced-[a-z]+-\d+)/g);
  return Array.from(found, ([, type, call_id]) => `${type} ${call_id}`);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", v: "\v", f: "\f" };

/** The first string among the arguments, one character a byte. */
function bytesOf(text: string): string {
  const quoted = /"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? "";
  return quoted.replaceAll(/\\([0-7]{1,3}|.)/g, (_, escape: string) =>
    /^[0-7]/.test(escape) ? String.fromCharCode(Number.parseInt(escape, 8)) : (ESCAPES[escape] ?? escape),
  );
}
