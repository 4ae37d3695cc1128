/** Giving free pages back to the file system, a bounded number a command. */
import type { Input } from "./commands.ts";
import type { WriteContext } from "./write-context.ts";

/** The number of free pages left; 0 also where the file was made without auto_vacuum = INCREMENTAL. */
export function giveBack(context: WriteContext, { pages }: Input<"giveBack">): number {
  const { db } = context;
  const before = db.pragma("freelist_count", { simple: true }) as number;
  if (before === 0) return 0;
  db.pragma(`incremental_vacuum(${pages})`);
  const after = db.pragma("freelist_count", { simple: true }) as number;
  return after < before ? after : 0;
}
