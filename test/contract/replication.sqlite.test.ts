import { freshStore } from "../support/sqlite-store.ts";
import { replicationContract } from "./replication.contract.ts";

replicationContract("sqlite", async () => {
  const { store, remove } = await freshStore();
  return { store, close: remove };
});
