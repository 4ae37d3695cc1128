import { pollingDispatch } from "../../src/adapters/sql/polling-dispatch.ts";
import { twoStores } from "../support/two-stores.ts";
import { dispatchContract } from "./dispatch.contract.ts";

dispatchContract("sql", async () => {
  const two = await twoStores();
  const { stores } = two;
  const dispatches = [pollingDispatch(stores[0]), pollingDispatch(stores[1])] as const;
  return {
    stores,
    dispatches,
    async close() {
      await Promise.all(dispatches.map((dispatch) => dispatch.close()));
      await two.close();
    },
  };
});
