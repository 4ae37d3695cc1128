import { describe } from "vitest";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { rollupsContract } from "./rollups.contract.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => rollupsContract("postgres", makePostgres));
