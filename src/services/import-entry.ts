/** What a reader of a file format hands on: one call to be checked, or what is wrong with the lines it stood in. */
import type { JobError } from "../ports/jobs.ts";

interface Place {
  /** The first line of the call, from 1. */
  readonly line: number;
  /** Bytes of the file up to the end of the call, and the number of the line behind it: where a resumed import goes on. */
  readonly end: number;
  readonly nextLine: number;
  /** Bytes of the call. */
  readonly bytes: number;
}

export type Entry = Place &
  (
    | {
        /** A body as of POST /api/v1/calls. */
        readonly body: Record<string, unknown>;
        /** For one row a turn: the line of each turn. */
        readonly turnLines?: readonly number[];
      }
    | { readonly problems: readonly JobError[] }
  );
