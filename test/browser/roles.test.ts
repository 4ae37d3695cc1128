/** The page as each role sees it, signed in for real: the server narrows every answer, and the page must fit what is left. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { generateDemo } from "../../src/demo/generate.ts";
import { chromiumPath, findings, inFocus, launch, tabTo, visit } from "../support/browser.ts";
import type { Visit } from "../support/browser.ts";
import { modelDir } from "../support/model.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";

const PASSWORD = "correct horse battery";
const calls = generateDemo({ seed: 1, now: Date.now() })
  .slice(0, 40)
  .map(({ call }) => call);
const byAgent = [...Map.groupBy(calls, (c) => c.agent_id)].toSorted((a, b) => b[1].length - a[1].length);
/** Of the team north: one who signs in, and a colleague. The third is of no team. */
const [[own, ownCalls], [mate, mateCalls], [, strangerCalls]] = byAgent as [Group, Group, Group];
type Group = (typeof byAgent)[number];

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Earshot;
let browser: Browser;

interface Shown {
  readonly turns: readonly { turn_id: string; text: string }[];
  readonly customer_id: string;
}

/** Types name and password as a person without a mouse does. */
async function signIn(name: string): Promise<Visit> {
  const visited = await visit(browser, server.url);
  const { page } = visited;
  await page.getByLabel("User name").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type(name);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.locator("tbody tr").first().waitFor();
  return visited;
}

async function notFound(page: Page, call_id: string): Promise<void> {
  await page.goto(`${server.url}/calls/${call_id}`);
  const alert = page.getByRole("alert");
  await alert.getByText("Call record not found").waitFor();
  await alert.getByText("your role does not see it").waitFor();
  expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
  expect(await page.locator(".turn").count()).toBe(0);
  expect(await findings(page)).toEqual([]);
}

describe.skipIf(chromiumPath === null)("roles", () => {
  beforeAll(async () => {
    place = await temporaryFolder();
    const env = { EARSHOT_DATA_DIR: place.path, EARSHOT_MODEL_DIR: await modelDir(), EARSHOT_LOG_LEVEL: "warn" };
    [server, browser] = await Promise.all([startEarshot(env), launch()]);
    for (const args of [
      [own, "--role", "agent", "--agent-id", own, "--team", "north"],
      [mate, "--role", "agent", "--agent-id", mate, "--team", "north"],
      ["mona", "--role", "manager", "--team", "north"],
      ["tess", "--role", "analyst"],
    ]) {
      expect((await runCli(["users", "add", ...args, "--password-stdin"], env, PASSWORD)).code).toBe(0);
    }
    expect((await server.call("POST", "/api/v1/calls/bulk", { calls })).ok).toBe(true);
    await vi.waitFor(
      async () =>
        expect((await server.get<{ total: number }>("/api/v1/calls?state=enriched&limit=1")).total).toBe(calls.length),
      { timeout: 90_000, interval: 100 },
    );
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop("SIGKILL");
    await place?.cleanup();
  });

  test("a manager sees the team, and of other teams not even that a call is there", async () => {
    const { page, troubles } = await signIn("mona");
    await page.getByText(`${ownCalls.length + mateCalls.length} calls`).waitFor();
    const agents = page.getByLabel("Agent").locator("option");
    await vi.waitFor(async () =>
      expect(await agents.evaluateAll((all) => all.map((o) => o.getAttribute("value")))).toEqual(
        ["", own, mate].toSorted(),
      ),
    );
    await page.getByRole("link", { name: "Agents" }).click();
    await page.getByText("2 agents").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(2);
    await notFound(page, strangerCalls[0]?.call_id ?? "");
    await page.goto(`${server.url}/calls/${mateCalls[0]?.call_id}`);
    await page.locator(".turn").first().waitFor();
    expect(troubles).toEqual([]);
  });

  test("an agent sees their own calls, has no rank among one, and similar calls are their own", async () => {
    const { page, troubles } = await signIn(own);
    const links = page.locator("tbody .row-link");
    expect((await links.allTextContents()).toSorted()).toEqual(ownCalls.map((c) => c.call_id).toSorted());
    await notFound(page, mateCalls[0]?.call_id ?? "");
    await page.getByRole("link", { name: "Agents" }).click();
    await page.getByText("1 agent", { exact: true }).waitFor();
    expect(await page.locator("tbody .rank").textContent()).toContain("nobody to compare with");
    await page.goto(`${server.url}/calls/${ownCalls[0]?.call_id}`);
    const similar = page.getByRole("region", { name: "Similar calls" }).getByRole("link");
    await similar.first().waitFor();
    const mine = new Set(ownCalls.map((c) => c.call_id));
    expect((await similar.allTextContents()).filter((id) => !mine.has(id))).toEqual([]);
    expect(troubles).toEqual([]);
  });

  test("an analyst sees every call, its measures and who spoke when, but no words and no customer", async () => {
    const { page, troubles } = await signIn("tess");
    await page.getByText(`of ${calls.length} calls`).waitFor();
    const call_id = ownCalls[0]?.call_id ?? "";
    const whole = await server.get<Shown>(`/api/v1/calls/${call_id}`);
    await page.goto(`${server.url}/calls/${call_id}`);
    await page.getByText("but not the words").waitFor();
    await page.locator(".nudge, .nudges .dim").first().waitFor();
    expect(await page.locator(".turn").count()).toBe(whole.turns.length);
    expect(await page.locator(".turn-mark").count()).toBeGreaterThan(0);
    const shown = await page.content();
    expect(whole.turns.filter(({ text }) => text.length > 20 && shown.includes(text))).toEqual([]);
    expect(whole.customer_id).not.toBe("");
    expect(shown).not.toContain(whole.customer_id);
    expect(await findings(page)).toEqual([]);
    expect(troubles).toEqual([]);
  });

  test("by keyboard alone from the sign-in to a nudge whose evidence lights up", async () => {
    const { page, troubles } = await signIn("mona");
    const first = (await page.locator("tbody .row-link").first().textContent()) ?? "";
    await tabTo(page, first);
    await page.keyboard.press("Enter");
    await page.locator(".nudge button").first().waitFor();
    const { nudges } = await server.get<{ nudges: { evidence: string[] }[] }>(`/api/v1/calls/${first}/recommendations`);
    await tabTo(page, (await page.locator(".nudge button").first().textContent()) ?? "");
    const lit = page.locator(".turn[data-lit=true]");
    await lit.first().waitFor();
    expect(await lit.count()).toBe(nudges.find((n) => n.evidence.length > 0)?.evidence.length);
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await page.evaluate("document.activeElement.className")).toContain("turn"));
    expect(await inFocus(page)).toContain("Nudge");
    expect(troubles).toEqual([]);
  });
});
