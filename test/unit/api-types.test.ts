import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiTypes } from "../../tools/write-api-types.ts";

const root = join(import.meta.dirname, "../..");

test("the page's types are those of openapi.json (node tools/write-api-types.ts)", async () => {
  const openapi = await readFile(join(root, "openapi.json"), "utf8");
  expect(await readFile(join(root, "web/src/api-types.ts"), "utf8")).toBe(apiTypes(openapi));
});

test("a changed document changes the types", () => {
  const document = {
    paths: {
      "/things": {
        get: {
          parameters: [{ name: "limit", in: "query", schema: { type: "integer" } }],
          responses: { 200: { content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } } } },
        },
      },
    },
    components: {
      schemas: {
        Thing: {
          type: "object",
          required: ["state", "pair"],
          properties: {
            state: { enum: ["on", "off"] },
            pair: { type: "array", items: { type: "number" }, minItems: 2, maxItems: 2 },
            note: { anyOf: [{ type: "string" }, { type: "null" }], description: "Free text" },
          },
        },
      },
    },
  };
  const text = apiTypes(JSON.stringify(document));
  expect(text).toContain('readonly "state": "on" | "off";');
  expect(text).toContain('readonly "pair": readonly [number, number];');
  expect(text).toContain('/** Free text */ readonly "note"?: string | null;');
  expect(text).toContain('readonly "limit"?: number;');
  expect(text).toContain("readonly answer: Thing");
});
