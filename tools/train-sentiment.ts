/**
 * node tools/train-sentiment.ts [FOLDER]   (or EARSHOT_DATA_SETS)
 * Trains the sentiment head on FOLDER/rated-sentences and tools/sales-reactions.json: prints what it reaches on
 * documents it did not see, then trains on everything and writes src/adapters/models/sentiment-head.json.
 */
import { writeFileSync } from "node:fs";
import { heldOut } from "./held-out.ts";
import { designRows, readExamples, trainHead } from "./sentiment-training.ts";

const folder = process.argv[2] ?? process.env["EARSHOT_DATA_SETS"];
if (!folder) throw new Error("name the data's folder: node tools/train-sentiment.ts FOLDER");

const examples = await readExamples(folder);
const rows = await designRows(examples);
for (const line of heldOut(examples, rows, "train")) console.log(JSON.stringify({ held_out: true, ...line }));
const head = trainHead(examples, rows);
const file = new URL("../src/adapters/models/sentiment-head.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(head)}\n`);
console.log(JSON.stringify({ written: "src/adapters/models/sentiment-head.json", version: head.version }));
