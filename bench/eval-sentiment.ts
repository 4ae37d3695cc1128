/**
 * node bench/eval-sentiment.ts [FOLDER]   (or EARSHOT_DATA_SETS)
 * Correlation of sentiment with human ratings on held-out documents, against VADER alone. The committed head has seen
 * all of rated-sentences, so heads are trained here by the same code without the documents they are scored on.
 */
import { heldOut } from "../tools/held-out.ts";
import { designRows, readExamples } from "../tools/sentiment-training.ts";
import { machine } from "./machine.ts";

const folder = process.argv[2] ?? process.env["EARSHOT_DATA_SETS"];
if (!folder) throw new Error("name the data's folder: node bench/eval-sentiment.ts FOLDER");

console.log(JSON.stringify(machine()));
const examples = await readExamples(folder);
const rows = await designRows(examples);
const how = "5-fold by document; each sentence scored by a head trained without its document";
for (const line of heldOut(examples, rows, "eval")) {
  console.log(JSON.stringify({ measure: "sentiment_correlation", how, ...line }));
}
