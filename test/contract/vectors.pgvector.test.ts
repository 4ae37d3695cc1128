import { describe } from "vitest";
import type { VectorRows } from "../../src/ports/vectors.ts";
import { openPoints } from "../support/points-index.ts";
import { requirement } from "../support/requirements.ts";
import { vectorsContract } from "./vectors.contract.ts";

async function open(rows: VectorRows): ReturnType<typeof openPoints> {
  const points = await openPoints(rows);
  await points.tend();
  return points;
}

describe.skipIf(requirement("pgvector") === null)("with a server", () => {
  vectorsContract("pgvector", open, { numRuns: 20 });
});
