import type { Command } from "commander";
import { benchModelFolder, checkModelFolder, pullPinnedModel } from "../app/models.ts";
import type { Context } from "./context.ts";
import { bar, progressLine } from "./context.ts";

/** `models pull|check|bench`. */
export function modelCommands(program: Command, context: Context): void {
  const models = program.command("models").description("the sentence-embedding model");
  models
    .command("pull")
    .description("fetch the model, check it and choose its fastest exact graph (once)")
    .action(async () => {
      const line = progressLine();
      const folder = await pullPinnedModel(context.config(), (p) =>
        line.show(p.total !== undefined && p.done ? `${p.message} ${bar(p.done / p.total)}` : p.message),
      );
      line.end(`The model is ready in ${folder}`);
    });
  models
    .command("check")
    .description("check the model's files and run it")
    .action(async () => {
      const report = await checkModelFolder(context.config());
      console.log(JSON.stringify(report, null, 2));
      if (!report.ok) process.exitCode = 1;
    });
  models
    .command("bench")
    .description("sequences a second by length, for each graph")
    .action(async () => {
      console.log(JSON.stringify(await benchModelFolder(context.config()), null, 2));
    });
}
