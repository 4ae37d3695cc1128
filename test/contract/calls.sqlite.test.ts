import { makeSqlite } from "../support/sqlite-suite.ts";
import { callsContract } from "./calls.contract.ts";

callsContract("sqlite", makeSqlite);
callsContract("sqlite, many parts of the full text", (options) => makeSqlite({ ...options, part_calls: 16 }));
