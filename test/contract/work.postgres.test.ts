import { describe } from "vitest";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { workContract } from "./work.contract.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => workContract("postgres", makePostgres));
