import { expect, it } from "vitest";
import { afterMessage, NO_TURNS } from "../../web/src/live/turns.ts";

const turn = (turn_index: number, more: object = {}) => ({
  type: "sentiment",
  seq: turn_index + 1,
  turn_id: `t${turn_index + 1}`,
  turn_index,
  text: "words",
  sentiment: 0.1,
  ...more,
});
const after = (...messages: Parameters<typeof afterMessage>[1][]) => messages.reduce(afterMessage, NO_TURNS);

it("keeps turns in their places, a correction in that of the turn it corrects", () => {
  const { turns } = after({ type: "hello", seq: 0 }, turn(0), turn(1), turn(0, { seq: 3, text: "other words" }));
  expect(turns.map((t) => [t.turn_id, t.text])).toEqual([
    ["t1", "other words"],
    ["t2", "words"],
  ]);
});

it("takes a turn that comes twice once", () => {
  expect(after(turn(0), turn(1), turn(1)).turns).toHaveLength(2);
});

it("shows a turn whose words the reader may not see as one without words", () => {
  expect(after(turn(0, { text: undefined })).turns[0]?.text).toBeNull();
});

it("begins anew where the stream does, and says so", () => {
  const state = after(turn(0), turn(1), { type: "resync_required", seq: 0 }, turn(0, { text: "replaced" }));
  expect(state).toMatchObject({ turns: [{ text: "replaced" }], complete: false, startedOver: true });
});

it("is complete when the stream says so, and leaves other messages alone", () => {
  const state = after(turn(0), { type: "complete", seq: 2 });
  expect(state.complete).toBe(true);
  expect(afterMessage(state, { type: "alert" })).toBe(state);
});
