import { makeSqlite } from "../support/sqlite-suite.ts";
import { vectorRowsContract } from "./vector-rows.contract.ts";

vectorRowsContract("sqlite", makeSqlite);
