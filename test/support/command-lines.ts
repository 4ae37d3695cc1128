/**
 * A process that runs many command lines through the entry of the product, one after the other: each evaluates main.ts
 * anew, over modules that are loaded once. On stdin a list of argument lists, on stdout what came of each.
 */
import { text } from "node:stream/consumers";

const write = process.stdout.write.bind(process.stdout);
const results: { code: NodeJS.Process["exitCode"]; stdout: string }[] = [];
for (const [i, args] of (JSON.parse(await text(process.stdin)) as string[][]).entries()) {
  let stdout = "";
  process.stdout.write = (chunk) => {
    stdout += String(chunk);
    return true;
  };
  process.argv = [...process.argv.slice(0, 2), ...args];
  process.exitCode = 0;
  await import(`../../src/main.ts?${i}`);
  results.push({ code: process.exitCode, stdout });
}
process.exitCode = 0;
write(JSON.stringify(results));
