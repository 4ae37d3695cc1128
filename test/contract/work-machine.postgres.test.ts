import { describe } from "vitest";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { workMachine } from "./work-machine.contract.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => workMachine("postgres", makePostgres));
