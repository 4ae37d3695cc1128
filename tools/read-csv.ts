/** Whole CSV files of the data sets, read as the import reads them. */
import { createReadStream } from "node:fs";
import { csvFields, cutRecords } from "../src/services/import-records.ts";

/** Every record's fields. @throws naming the line that cannot be read */
export async function readRecords(file: string): Promise<string[][]> {
  const records: string[][] = [];
  for await (const piece of cutRecords(createReadStream(file), { quotes: true })) {
    if (!piece.ok) throw new Error(`${file}: line ${piece.line} ${piece.message}`);
    records.push(csvFields(piece.text));
  }
  return records;
}

/** Every record after the first by the column names that stand in the first. */
export async function readTable(file: string): Promise<Record<string, string>[]> {
  const [columns = [], ...records] = await readRecords(file);
  return records.map((fields) => Object.fromEntries(columns.map((name, i) => [name.trim(), fields[i] ?? ""])));
}
