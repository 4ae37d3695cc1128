import { logStream } from "../../src/adapters/sql/log-stream.ts";
import { twoStores } from "../support/two-stores.ts";
import { streamContract } from "./stream.contract.ts";

streamContract("sql", async () => {
  const two = await twoStores();
  const [one, other] = two.stores;
  return { ...two, streams: [logStream(one.events), logStream(other.events)] };
});
