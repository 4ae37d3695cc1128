/** Closing in order, within a bound: what hangs is named and passed over, so that what comes after it is still closed. */
import type { Log } from "../observe/logger.ts";

export interface Stage {
  readonly name: string;
  readonly patience_ms: number;
  readonly close: () => Promise<unknown>;
}

/** Runs groups of stages one after the other, the stages of a group at once; the names of those that did not end well. */
export async function closeInOrder(groups: readonly (readonly Stage[])[], log: Pick<Log, "error">): Promise<string[]> {
  const unwell: string[] = [];
  for (const group of groups) {
    await Promise.all(
      group.map(async (stage) => {
        const problem = await inTime(stage);
        if (problem === null) return;
        unwell.push(stage.name);
        log.error({ stage: stage.name, ...problem }, "a part did not close; the shutdown goes on without it");
      }),
    );
  }
  return unwell;
}

async function inTime({ patience_ms, close }: Stage): Promise<object | null> {
  const { promise, resolve } = Promise.withResolvers<object>();
  const timer = setTimeout(() => resolve({ waited_ms: patience_ms }), patience_ms);
  try {
    return await Promise.race([close().then(() => null), promise]);
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}
