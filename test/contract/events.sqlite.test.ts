import { makeSqlite } from "../support/sqlite-suite.ts";
import { eventsContract } from "./events.contract.ts";

eventsContract("sqlite", makeSqlite);
