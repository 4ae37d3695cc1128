import { describe } from "vitest";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { idempotencyContract } from "./idempotency.contract.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => idempotencyContract("postgres", makePostgres));
