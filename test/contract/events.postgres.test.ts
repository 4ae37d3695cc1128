import { describe } from "vitest";
import { makePostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { eventsContract } from "./events.contract.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => eventsContract("postgres", makePostgres));
