import { makeSqlite } from "../support/sqlite-suite.ts";
import { workContract } from "./work.contract.ts";

workContract("sqlite", makeSqlite);
