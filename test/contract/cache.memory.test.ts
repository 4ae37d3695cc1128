import { memoryCache } from "../../src/adapters/cache/memory.ts";
import { cacheContract } from "./cache.contract.ts";

cacheContract("memory", async (random) => {
  const clock = { now: 1_000 };
  const cache = memoryCache({ now: () => clock.now, random });
  return { cache, clock, close: () => cache.close() };
});
