/** What ports that are the same on both engines are made of. */
import type { RequestKey } from "../../ports/idempotency.ts";
import type { CommandName, Input, KeyedName, OnceAnswer, Output } from "./commands.ts";

/** How commands are sent: `Writes.run`, or the same under a request key. */
export type Run<Names extends CommandName = CommandName> = <K extends Names>(
  name: K,
  input: Omit<Input<K>, "now">,
  now: number,
) => Promise<Output<K>>;

/** Commands; each resolves when it is on disk. */
export interface Writes {
  run<K extends CommandName>(name: K, input: Omit<Input<K>, "now">, now: number): Promise<Output<K>>;
  /** One command under a request key: once in effect, however often it is asked. */
  runOnce<K extends KeyedName>(
    key: RequestKey,
    name: K,
    input: Omit<Input<K>, "now">,
    now: number,
  ): Promise<OnceAnswer<Output<K>>>;
}

/** Fixed statements, with question marks for values. */
export interface Reads {
  /** First row; throws store_unavailable for faults of the store. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  get<Row>(sql: string, ...params: readonly (string | number)[]): Row | undefined | Promise<Row | undefined>;
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns it selected
  all<Row>(sql: string, ...params: readonly (string | number)[]): Row[] | Promise<Row[]>;
  /** Lets other work of the loop go first, between the steps of a longer read. */
  turn(): Promise<void>;
}
