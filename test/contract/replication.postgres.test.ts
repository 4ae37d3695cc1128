import { describe } from "vitest";
import { freshPostgres } from "../support/postgres-suite.ts";
import { requirement } from "../support/requirements.ts";
import { replicationContract } from "./replication.contract.ts";

describe.skipIf(requirement("postgres") === null)("with a server", () => {
  replicationContract("postgres", async () => {
    const fresh = await freshPostgres();
    return { store: fresh.store, close: () => fresh.remove() };
  });
});
