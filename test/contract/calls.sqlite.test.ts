import { makeSqlite } from "../support/sqlite-suite.ts";
import { callsContract } from "./calls.contract.ts";

callsContract("sqlite", makeSqlite);
