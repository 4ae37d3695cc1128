/** What every Models adapter must do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DIMENSIONS } from "../../src/core/vector.ts";
import type { Models } from "../../src/ports/models.ts";

export function modelsContract(name: string, method: "model" | "statistical", open: () => Promise<Models>): void {
  describe(`Models: ${name}`, () => {
    let models: Models;

    beforeAll(async () => {
      models = await open();
    });

    afterAll(async () => {
      await models.close();
    });

    test("says what it is", () => {
      const state = models.describe();
      expect(state.method).toBe(method);
      expect(state.problem === null).toBe(method === "model");
      expect(state.space_id === null).toBe(method === "statistical");
      expect(state.graph_id === null).toBe(method === "statistical");
    });

    test("infers in order, one value a text", async () => {
      const texts = [
        "I love it, thank you so much!",
        "This is terrible and I am very angry.",
        "The meeting is at ten.",
      ];
      const { sentiment, vectors, method: used, space_id } = await models.infer(texts);
      expect(used).toBe(method);
      expect(sentiment).toHaveLength(3);
      expect(sentiment[0]).toBeGreaterThan(0.4);
      expect(sentiment[1]).toBeLessThan(-0.4);
      expect(Math.abs(sentiment[2] ?? 9)).toBeLessThan(0.25);
      if (method === "model") {
        expect(vectors).toHaveLength(3 * DIMENSIONS);
        expect(space_id).toBe(models.describe().space_id);
      } else {
        expect(vectors).toBeNull();
        expect(space_id).toBeNull();
      }
    });

    test("feels the same that it infers, bit by bit", async () => {
      const texts = ["Thank you, that was quick!", "", "I want my money back."];
      const { sentiment, model, version } = await models.infer(texts);
      expect(await models.feel(texts)).toMatchObject({ method, sentiment, model, version });
    });

    test("sentiment stays within -1..1, and is 0 for text without words", async () => {
      const texts = [
        "",
        "  \n",
        "?!",
        "…",
        "BEST BEST BEST!!!! LOVE LOVE LOVE :) :) :)",
        "hate hate worst evil murder die",
      ];
      const { sentiment } = await models.infer(texts);
      expect(Array.from(sentiment).slice(0, 4)).toEqual([0, 0, 0, 0]);
      for (const value of sentiment) expect(Math.abs(value)).toBeLessThanOrEqual(1);
      expect(sentiment[4]).toBeGreaterThan(sentiment[5] ?? 1);
    });

    test("takes nothing, long texts and odd characters", async () => {
      expect((await models.infer([])).sentiment).toHaveLength(0);
      const odd = [
        "word ".repeat(50_000),
        "\u0000\ud800 lone",
        "你好，世界",
        "🙂".repeat(500),
        "__proto__",
        "[CLS] [SEP]",
      ];
      const { sentiment, vectors } = await models.infer(odd);
      expect(sentiment).toHaveLength(odd.length);
      expect(sentiment.every((x) => Number.isFinite(x))).toBe(true);
      expect(vectors?.every((x) => Number.isFinite(x)) ?? true).toBe(true);
    });

    test("one text that cannot be read rejects its own infer only", async () => {
      const bad = models.infer(["fine", 7 as unknown as string]);
      const good = models.infer(["Sounds good to me."]);
      await expect(bad).rejects.toThrow(Error);
      expect((await good).method).toBe(method);
    });

    test("embeds a query, or says it cannot", async () => {
      const vector = await models.embed("price too high");
      if (method === "statistical") expect(vector).toBeNull();
      else expect(vector).toHaveLength(DIMENSIONS);
    });
  });
}
