import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { rebuildFromEvents } from "../app/kafka.ts";
import type { Periods } from "../core/topic-figures.ts";
import type { Context } from "./context.ts";

/** `kafka rebuild`. Exit code 1 where the topic and the store differ. */
export function kafkaCommands(program: Command, context: Context): void {
  const kafka = program.command("kafka").description("what has gone out to Kafka");
  kafka
    .command("rebuild")
    .description(
      "count the figures per agent by UTC hour and local day from the topic of events, and compare them with the store's",
    )
    .option("--output <file>", "write the figures there, one JSON line an agent and period")
    .action(async ({ output }: { output?: string }) => {
      const { hours, days, counts, head, compared, differences } = await rebuildFromEvents(context.config());
      if (output !== undefined) {
        const lines = [...linesOf("hour", hours), ...linesOf("day", days)];
        await pipeline(Readable.from(lines), createWriteStream(output));
      }
      const { first, last, taken, repeats, missing } = counts;
      console.error(
        `${taken} events (${first} to ${last} of ${head}), ${repeats} repeats, ${missing} missing in between.`,
      );
      console.error(
        `${hours.size} hours and ${days.size} days; ${compared} sums compared, ${differences.length} differ.`,
      );
      for (const difference of differences) console.error(JSON.stringify(difference));
      if (first > 1)
        console.error("The topic does not reach back to the first event: calls before it are not in its figures.");
      if (last < head) console.error("The topic does not have the newest events yet: run this again when it has.");
      if (differences.length > 0 || missing > 0 || last < head) process.exitCode = 1;
    });
}

function* linesOf(grain: "hour" | "day", periods: Periods): Generator<string> {
  for (const [period, agents] of [...periods].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    for (const { agent_id, calls, measures } of agents.values()) {
      const sums = [...measures].map(([name, { n, sum }]) => [name, { n, sum: Number(sum) / 1e6 }]);
      yield `${JSON.stringify({ grain, period, agent_id, calls, measures: Object.fromEntries(sums) })}\n`;
    }
  }
}
