import { makeSqlite } from "../support/sqlite-suite.ts";
import { workMachine } from "./work-machine.contract.ts";

workMachine("sqlite", makeSqlite);
