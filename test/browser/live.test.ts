/** A call as it goes on: sent turn by turn over HTTP, watched in Chromium while it moves. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { chromiumPath, findings, launch, visit } from "../support/browser.ts";
import type { Visit } from "../support/browser.ts";
import { modelDir } from "../support/model.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";

const PASSWORD = "correct horse battery";
const AGENT = "Right, and what would you like to change about it?";
/** A customer who is glad at first, and less and less so. */
const MOOD = [
  "Thank you so much, I really love it, it is wonderful and I am very happy with it.",
  "Yes, it works great for us, thanks.",
  "Well, the invoices are wrong again, and that is annoying.",
  "It is a disaster, honestly. I am very angry and disappointed about this terrible service.",
  "No, this is awful. I hate it, nobody helps us and everything is broken.",
  "It gets worse every week, I am furious, and I want my money back.",
];

/** The list is read again once a second at most. */
const SOON = { timeout: 10_000 };

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Earshot;
let browser: Browser;
let env: Record<string, string>;
let sessions: Readonly<Record<"admin" | "analyst", BrowserContextOptions["storageState"]>>;

async function start(call_id: string, agent_id = "ana.lopes"): Promise<void> {
  const { status } = await server.call("POST", "/api/v1/live", { call_id, agent_id, customer_id: "acme" });
  expect(status).toBe(201);
}

async function say(call_id: string, ...turns: { speaker: "agent" | "customer"; text: string; turn_id?: string }[]) {
  const answer = await server.call("POST", `/api/v1/calls/${call_id}/turns`, { turns });
  expect(answer.status).toBe(202);
}
const agent = (text = AGENT) => ({ speaker: "agent" as const, text });
const customer = (text: string) => ({ speaker: "customer" as const, text });

async function open(path: string, role: keyof typeof sessions = "admin"): Promise<Visit> {
  const { [role]: storageState } = sessions;
  const visited = await visit(browser, server.url + path, storageState ? { storageState } : {});
  await visited.page.getByRole("heading", { level: 1 }).waitFor();
  return visited;
}

async function signIn(name: string): Promise<BrowserContextOptions["storageState"]> {
  const { page } = await visit(browser, server.url);
  await page.getByLabel("User name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  return page.context().storageState();
}

const turns = (page: Page) => page.locator(".turn");
/** The number in the strip. */
const average = async (page: Page) =>
  Number((await page.locator(".so-far .mean .num").textContent())?.replace("−", "-"));
const following = (page: Page, words: string) => page.locator(".following").getByText(words, { exact: true }).waitFor();

describe.skipIf(chromiumPath === null)("live calls", () => {
  beforeAll(async () => {
    place = await temporaryFolder();
    env = { EARSHOT_DATA_DIR: place.path, EARSHOT_MODEL_DIR: await modelDir(), EARSHOT_LOG_LEVEL: "warn" };
    [server, browser] = await Promise.all([startEarshot(env), launch()]);
    for (const [name = "", role = ""] of [
      ["ann", "admin"],
      ["tess", "analyst"],
    ]) {
      const args = ["users", "add", name, "--role", role, "--password-stdin"];
      expect((await runCli(args, env, PASSWORD)).code).toBe(0);
    }
    sessions = { admin: await signIn("ann"), analyst: await signIn("tess") };
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop("SIGKILL");
    await place?.cleanup();
  });

  test("a call appears in the list by itself, moves there, and leaves it at its end", async () => {
    const { page, troubles } = await open("/live");
    await page.getByText("Nobody is on a call").waitFor();
    await following(page, "Following");
    expect(await findings(page)).toEqual([]);
    await start("list-1");
    const row = page.locator("tbody tr", { has: page.getByRole("link", { name: "list-1" }) });
    await row.getByText("Ana Lopes").waitFor();
    await say("list-1", agent("Hello, how are things?"), customer(MOOD[0] as string));
    const mood = row.locator(".mean");
    await vi.waitFor(async () => expect(await mood.getAttribute("data-tone")).toBe("positive"), SOON);
    await say("list-1", ...MOOD.slice(2).map(customer), ...MOOD.slice(3).map(customer));
    await vi.waitFor(async () => expect(await mood.getAttribute("data-tone")).toBe("negative"), SOON);
    await row.getByText("falling", { exact: true }).waitFor();
    await server.call("POST", "/api/v1/calls/list-1/end", {});
    await page.getByText("Nobody is on a call").waitFor();
    expect(troubles).toEqual([]);
  });

  test("turns appear as they are said, the average moves with them, and an alert lights up its turns", async () => {
    await start("mood-1");
    const { page, troubles } = await open("/live/mood-1");
    await page.getByText("Nothing has been said yet").waitFor();
    await following(page, "Following");
    await say("mood-1", agent("Hello, how are things?"), customer(MOOD[0] as string));
    await page.getByLabel("Turn 2", { exact: true }).waitFor();
    const seen = [await average(page)];
    expect(seen[0]).toBeGreaterThan(0.3);
    for (const [i, text] of MOOD.entries()) {
      if (i === 0) continue;
      await say("mood-1", agent(), customer(text));
      await page.getByLabel(`Turn ${2 * i + 2}`, { exact: true }).waitFor();
      seen.push(await average(page));
    }
    expect(seen).toEqual(seen.toSorted((a, b) => b - a));
    expect(seen.at(-1)).toBeLessThan(0);
    expect(await turns(page).count()).toBe(2 * MOOD.length);
    expect(await page.locator(".turn-mark").count()).toBe(2 * MOOD.length);
    // The line of the average, and a dot a turn.
    await page.locator(".recharts-line-curve").first().waitFor();
    expect(await page.locator(".recharts-line-dots circle").count()).toBe(2 * MOOD.length);

    const nudge = page.locator(".nudge").first();
    await nudge.getByText("Mood is falling").waitFor();
    const { alerts } = await server.get<{ alerts: { evidence: number[]; text: string }[] }>("/api/v1/live/mood-1");
    await nudge.getByText(alerts[0]?.text ?? "no alert").waitFor();
    await nudge.hover();
    const lit = await page.locator(".turn[data-lit=true]").all();
    const numbers = await Promise.all(lit.map((turn) => turn.getAttribute("aria-label")));
    const evidence = (alerts[0]?.evidence ?? []).toSorted((a, b) => a - b);
    expect(evidence.length).toBeGreaterThan(1);
    expect(numbers).toEqual(evidence.map((index) => `Turn ${index + 1}`));
    expect(troubles).toEqual([]);
  });

  test("a corrected turn is shown as it is now, in its place", async () => {
    await start("fixed-1");
    const { page } = await open("/live/fixed-1");
    await say("fixed-1", { ...customer("We are very sad about the bill."), turn_id: "a" }, agent());
    await turns(page).nth(1).waitFor();
    await say("fixed-1", { ...customer("We are very glad about the bill."), turn_id: "a" });
    await turns(page).first().getByText("We are very glad about the bill.").waitFor();
    expect(await turns(page).count()).toBe(2);
  });

  test("a lost connection is told, and goes on where it was: every turn once", async () => {
    await start("cut-1");
    const { page } = await open("/live/cut-1");
    await say("cut-1", agent("one"), customer("two"));
    await turns(page).nth(1).waitFor();
    const { port } = new URL(server.url);
    await server.stop("SIGKILL");
    await following(page, "Reconnecting …");
    expect(await findings(page)).toEqual([]);
    server = await startEarshot({ ...env, EARSHOT_PORT: port });
    await say("cut-1", agent("three"), customer("four"));
    await turns(page).nth(3).waitFor();
    await following(page, "Following");
    await say("cut-1", agent("five"));
    await turns(page).nth(4).waitFor();
    const words = await page.locator(".turn-words").allTextContents();
    expect(words.map((w) => w.replace(/^(?:Ana Lopes|Customer)/, ""))).toEqual(["one", "two", "three", "four", "five"]);
  });

  test("the end leads to the stored call, and so does the address from then on", async () => {
    await start("end-1");
    const { page, troubles } = await open("/live/end-1");
    await say("end-1", agent(), customer("It is all fine, thank you."));
    await turns(page).nth(1).waitFor();
    await server.call("POST", "/api/v1/calls/end-1/end", { outcome: "won" });
    await page.getByText("This call has ended").waitFor();
    expect(await turns(page).count()).toBe(2);
    expect(await findings(page)).toEqual([]);
    await page.getByRole("link", { name: "Open its insights" }).click();
    await page.getByRole("heading", { level: 1, name: "Call end-1", exact: true }).waitFor();
    await page.goto(`${server.url}/live/end-1`);
    await page.getByRole("heading", { level: 1, name: "Call end-1", exact: true }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/calls/end-1");
    expect(troubles).toEqual([]);
  });

  test("an analyst sees how it goes, and no words", async () => {
    await start("quiet-1");
    await say("quiet-1", agent("Something nobody else may read"), customer("Another secret thing of ours"));
    const { page, troubles } = await open("/live/quiet-1", "analyst");
    await turns(page).nth(1).waitFor();
    await page.getByText("but not the words").waitFor();
    const shown = await page.content();
    expect(shown).not.toMatch(/nobody else|secret thing|acme/);
    expect(troubles).toEqual([]);
  });

  test.each(["/live", "/live/wide-1"])("%s: nothing serious for axe, light, dark or narrow", async (path) => {
    await start(`wide-${path.length === 5 ? "0" : "1"}`);
    if (path !== "/live") await say("wide-1", agent(), ...MOOD.flatMap((text) => [customer(text), agent()]));
    const { page, troubles } = await open(path);
    await page.locator("tbody tr, .recharts-line-curve").first().waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
      for (const width of [1280, 820, 360]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await findings(page)).toEqual([]);
        expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
      }
    }
    expect(troubles).toEqual([]);
  });
});
