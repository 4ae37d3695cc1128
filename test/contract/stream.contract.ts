import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EVERYTHING } from "../../src/core/call.ts";
import type { Events } from "../../src/ports/events.ts";
import type { Stream } from "../../src/ports/stream.ts";
import { follow } from "../support/follow-events.ts";
import { aCall } from "../support/sqlite-store.ts";
import type { SqliteStore } from "../../src/adapters/sql/open.ts";

/** Two processes on one store: each writes to its own and follows its own stream. */
export interface TestStreams {
  readonly stores: readonly [SqliteStore, SqliteStore];
  readonly streams: readonly [Stream, Stream];
  /** Puts an agent into a team. */
  setTeam(agent_id: string, team: string): void;
  close(): Promise<void>;
}

/** Holds a Stream adapter to the port. */
export function streamContract(name: string, make: () => Promise<TestStreams>): void {
  describe(`Stream: ${name}`, () => {
    let t: TestStreams;
    beforeEach(async () => {
      t = await make();
    });
    afterEach(() => t.close());

    const accept = (process: 0 | 1, ...ids: string[]) =>
      t.stores[process].calls.accept(
        ids.map((id) => aCall(id)),
        1,
      );

    test("says that all is well", () => {
      expect(t.streams.map((stream) => stream.problem())).toEqual([null, null]);
    });

    test("brings what either process writes to followers of both, in order and once", async () => {
      const followers = await Promise.all(t.streams.map((stream) => follow(stream)));
      for (let i = 0; i < 40; i++) {
        // One after the other, and both at once.
        if (i % 2 === 0) await accept(0, `a${i}`, `b${i}`);
        else await Promise.all([accept(0, `a${i}`), accept(1, `b${i}`)]);
      }
      for (const follower of followers) {
        await follower.reaches(80);
        expect(follower.seqs).toEqual(Array.from({ length: 80 }, (_, i) => i + 1));
        follower.stop();
      }
    });

    test("answers as the log does: from any seq, for any limit, for every scope", async () => {
      const follower = await follow(t.streams[0]);
      await accept(0, "a", "b");
      await t.stores[1].calls.accept([aCall("c", { agent_id: "bob" })], 1);
      t.setTeam("bob", "north");
      await accept(1, "d");
      await follower.reaches(4);
      // A follower that is at the end reads the log, and may be ahead of what is kept for all others.
      await vi.waitFor(async () => expect(await t.streams[0].after(0, 1, EVERYTHING)).toMatchObject({ head: 4 }));
      const log: Events = t.stores[0].events;
      const scopes = [EVERYTHING, { kind: "agent", agent_id: "ann" }, { kind: "team", team: "north" }] as const;
      for (const scope of scopes) {
        for (const seq of [0, 1, 3, 4, 5]) {
          for (const limit of [1, 2, 100]) {
            expect(await t.streams[0].after(seq, limit, scope)).toEqual(await log.after(seq, limit, scope));
          }
        }
      }
      expect(await t.streams[0].head()).toBe(4);
      follower.stop();
    });

    test("knows the head as soon as a write is acknowledged", async () => {
      await accept(0, "a");
      expect(await Promise.all(t.streams.map((stream) => stream.head()))).toEqual([1, 1]);
      expect((await t.streams[1].after(0, 10, EVERYTHING)).events).toHaveLength(1);
    });

    test("tells a listener until it unsubscribes, one that is there twice as well", async () => {
      let heard = 0;
      const listener = () => heard++;
      const stops = [t.streams[0].onChange(listener), t.streams[0].onChange(listener)];
      await accept(0, "a");
      await vi.waitFor(() => expect(heard).toBe(2));
      for (const stop of stops) stop();
      const follower = await follow(t.streams[0]);
      await accept(0, "b");
      await follower.reaches(2);
      expect(heard).toBe(2);
      follower.stop();
    });

    test("more than it keeps at hand comes whole to who is far behind", async () => {
      const follower = await follow(t.streams[1]);
      for (let batch = 0; batch < 6; batch++) {
        await accept(0, ...Array.from({ length: 1_000 }, (_, i) => `c${batch}-${i}`));
      }
      await follower.reaches(6_000);
      expect(follower.seqs).toEqual(Array.from({ length: 6_000 }, (_, i) => i + 1));
      follower.stop();
      const late = await follow(t.streams[1], 0);
      await late.reaches(6_000);
      expect(late.seqs).toEqual(follower.seqs);
      late.stop();
    });
  });
}
