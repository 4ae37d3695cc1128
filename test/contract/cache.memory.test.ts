import { memoryCache } from "../../src/adapters/cache/memory.ts";
import { cacheContract } from "./cache.contract.ts";

cacheContract("memory", async (random) => {
  let now = 1_000;
  const cache = memoryCache({ now: () => now, random });
  return {
    cache,
    async advance(ms) {
      now += ms;
    },
    close: () => cache.close(),
  };
});
