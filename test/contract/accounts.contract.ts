/** What every store's Accounts must do. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Account, Accounts } from "../../src/ports/accounts.ts";

export interface AccountsUnderTest {
  readonly accounts: Accounts;
  /** Moves the store's clock, which starts at 1,000,000. */
  setNow(ms: number): void;
  /** The team of an agent as a team's scope sees it. */
  teamOf(agent_id: string): Promise<string | null>;
  close(): Promise<void>;
}

const account = (over: Partial<Account>): Account => ({
  account_id: "a1",
  kind: "key",
  name: "ci",
  role: "admin",
  agent_id: null,
  team: null,
  created_at: 5,
  revoked_at: null,
  ...over,
});

export function accountsContract(name: string, open: () => Promise<AccountsUnderTest>): void {
  describe(`Accounts: ${name}`, () => {
    let store: AccountsUnderTest;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());

    test("a key is found by its hash until it is revoked", async () => {
      const key = account({ account_id: "k1", name: "nightly import" });
      expect(await store.accounts.add(key, "hash-1")).toBe(true);
      expect(await store.accounts.byKeyHash("hash-1")).toEqual(key);
      expect(await store.accounts.byKeyHash("hash-2")).toBeNull();
      expect(await store.accounts.byId("k1")).toEqual(key);
      expect(await store.accounts.revoke("k1")).toBe(true);
      expect(await store.accounts.revoke("k1")).toBe(false);
      expect(await store.accounts.revoke("nobody")).toBe(false);
      expect(await store.accounts.byKeyHash("hash-1")).toBeNull();
      expect((await store.accounts.byId("k1"))?.revoked_at).toBe(1_000_000);
    });

    test("a login name is taken once; keys may share a label", async () => {
      const user = account({ account_id: "u1", kind: "user", name: "maria", role: "analyst" });
      expect(await store.accounts.add(user, "argon-1")).toBe(true);
      expect(await store.accounts.add({ ...user, account_id: "u2" }, "argon-2")).toBe(false);
      expect(await store.accounts.byUserName("maria")).toEqual({ account: user, secret: "argon-1" });
      expect(await store.accounts.byUserName("Maria")).toBeNull();
      expect(await store.accounts.byId("u2")).toBeNull();
      expect(await store.accounts.add(account({ account_id: "k2", name: "same" }), "hash-k2")).toBe(true);
      expect(await store.accounts.add(account({ account_id: "k3", name: "same" }), "hash-k3")).toBe(true);
      expect((await store.accounts.list("user")).map((a) => a.account_id)).toEqual(["u1"]);
      expect((await store.accounts.list("key")).map((a) => a.account_id)).toEqual(["k1", "k2", "k3"]);
      // A user's secret is no key.
      expect(await store.accounts.byKeyHash("argon-1")).toBeNull();
    });

    test("an agent's account puts the agent into its team, a refused one does not", async () => {
      const agent = account({
        account_id: "g1",
        kind: "user",
        name: "gus",
        role: "agent",
        agent_id: "gus",
        team: "north",
      });
      expect(await store.accounts.add(agent, "s1")).toBe(true);
      expect(await store.teamOf("gus")).toBe("north");
      expect(await store.accounts.add({ ...agent, account_id: "g2", team: "south" }, "s2")).toBe(false);
      expect(await store.teamOf("gus")).toBe("north");
      const manager = account({ account_id: "m1", kind: "user", name: "mo", role: "manager", team: "north" });
      expect(await store.accounts.add(manager, "s3")).toBe(true);
      expect(await store.accounts.byId("m1")).toEqual(manager);
    });

    test("a one-use secret is taken once, by one of many, and never when expired", async () => {
      await store.accounts.putOneUse("once", "u1", 1_000_030);
      const all = await Promise.all(Array.from({ length: 20 }, () => store.accounts.takeOneUse("once")));
      expect(all.filter((id) => id !== null)).toEqual(["u1"]);
      expect(await store.accounts.takeOneUse("once")).toBeNull();
      expect(await store.accounts.takeOneUse("never put")).toBeNull();
      await store.accounts.putOneUse("late", "u1", 1_000_030);
      store.setNow(1_000_030);
      expect(await store.accounts.takeOneUse("late")).toBeNull();
      await store.accounts.putOneUse("swept", "u1", 1_000_040);
      store.setNow(1_000_050);
      await store.accounts.putOneUse("fresh", "u1", 1_000_060);
      expect(await store.accounts.takeOneUse("swept")).toBeNull();
      expect(await store.accounts.takeOneUse("fresh")).toBe("u1");
    });
  });
}
