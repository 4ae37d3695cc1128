/** What a test of a fault measured, as one line that can be found in the output of the run: `fault: ROW: WHAT`. */

/** `row` is the fault as docs/operations.md names it. */
export function measured(row: string, what: string): void {
  console.log(`fault: ${row}: ${what}`);
}

/** "1.24 s". */
export const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
