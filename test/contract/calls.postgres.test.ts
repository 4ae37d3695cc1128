import { describe } from "vitest";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { callsContract } from "./calls.contract.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => callsContract("postgres", makePostgres));
