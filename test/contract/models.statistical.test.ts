import { expect, test } from "vitest";
import { openModels } from "../../src/adapters/models/open-models.ts";
import { modelsContract } from "./models.contract.ts";

const open = () => openModels({ modelDir: null, dataDir: "/nonexistent", threads: 2, autoPull: true });

modelsContract("statistical", "statistical", async () => open());

test("names the way back to the model", async () => {
  const models = open();
  expect(models.describe().problem).toContain("EARSHOT_MODEL_DIR");
  await models.close();
});
