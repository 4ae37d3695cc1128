import { makeSqlite } from "../support/sqlite-suite.ts";
import { liveCallsContract } from "./live-calls.contract.ts";

liveCallsContract("sqlite", makeSqlite);
