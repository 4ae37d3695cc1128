import { makeSqlite } from "../support/sqlite-suite.ts";
import { rollupsContract } from "./rollups.contract.ts";

rollupsContract("sqlite", makeSqlite);
