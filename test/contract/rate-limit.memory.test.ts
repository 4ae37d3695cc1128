import { memoryRateLimit } from "../../src/adapters/limits/memory.ts";
import { rateLimitContract } from "./rate-limit.contract.ts";

rateLimitContract("memory", memoryRateLimit);
