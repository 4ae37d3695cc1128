/** What the database says of one space of one kind, and the words that statements about it share. */
import { DIMENSIONS } from "../../../core/vector.ts";
import type { VectorKind } from "../../../ports/vectors.ts";

export const KINDS: readonly VectorKind[] = ["call", "segment"];

/** A row of earshot_points.spaces. */
export interface Space {
  readonly space_no: number;
  readonly version: number;
  readonly filled_to: number;
  readonly filled: boolean;
  /** In the scale of the rows; null: nothing is taken off. */
  readonly mean: readonly number[] | null;
  readonly mean_rows: number;
  /** Name of the index; null: there is none yet. */
  readonly graph: string | null;
  /** The mean its rows are about, as a literal; null: none. */
  readonly graph_mean: string | null;
  readonly graph_rows: number;
}

export const SPACE_COLUMNS = `s.space_no, s.version, s.filled_to, s.filled, s.mean, s.mean_rows, s.graph, s.graph_mean, s.graph_rows`;

/** Rows are compared one by one up to so many: exact, and quicker than a graph where a filter lets few pass. */
export const EXACT_ROWS = 10_000;

/** A literal of halfvec; its numbers are plain, so that an index and a question can write it alike. */
export function halfvec(values: Iterable<number>): string {
  return `'[${Array.from(values, (x) => Number(x.toPrecision(6))).join(",")}]'::halfvec(${DIMENSIONS})`;
}

/** What the graph's index is on, which a question has to say in the same words. */
export function graphExpression(column: string, graph_mean: string | null): string {
  return graph_mean === null ? column : `((${column} - ${graph_mean})::halfvec(${DIMENSIONS}))`;
}
