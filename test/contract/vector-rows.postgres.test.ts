import { describe } from "vitest";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { vectorRowsContract } from "./vector-rows.contract.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => vectorRowsContract("postgres", makePostgres));
