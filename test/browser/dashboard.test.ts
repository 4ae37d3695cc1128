/** The page as a sales manager uses it: the demo's calls, the real model, the real server, Chromium. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { chromiumPath, findings, inFocus, launch, tabTo, visit } from "../support/browser.ts";
import type { Visit } from "../support/browser.ts";
import { modelDir } from "../support/model.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";

const DARK: BrowserContextOptions = { colorScheme: "dark" };
const VIEWS = ["/", "/agents", "/calls/demo-0001"];

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let demo: Earshot;
let browser: Browser;
let signedIn: Exclude<BrowserContextOptions["storageState"], string | undefined>;
let link: string;

async function open(path: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const visited = await visit(browser, demo.url + path, { storageState: signedIn, ...options });
  await settled(visited.page);
  return visited;
}

/** Nothing loads any more: data and lazy parts are there. */
async function settled(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("[aria-label=Loading]").first().waitFor({ state: "hidden" });
}

const rows = (page: Page) => page.locator("tbody tr");
const search = (page: Page) => new URL(page.url()).searchParams;

describe.skipIf(chromiumPath === null)("the dashboard", () => {
  beforeAll(async () => {
    place = await temporaryFolder();
    const env = {
      EARSHOT_DATA_DIR: place.path,
      EARSHOT_MODEL_DIR: await modelDir(),
      EARSHOT_LOG_LEVEL: "warn",
    };
    [demo, browser] = await Promise.all([startEarshot(env, ["demo"]), launch()]);
    await vi.waitFor(() => expect(demo.stdout()).toContain("Ctrl-C"), { timeout: 90_000, interval: 100 });
    link = /http:\S+#sign-in=\S+/.exec(demo.stdout())?.[0] ?? "";
    const added = await runCli(
      ["users", "add", "ann", "--role", "admin", "--password-stdin"],
      env,
      "correct horse battery",
    );
    expect(added.code).toBe(0);
    const { page } = await visit(browser, link);
    await rows(page).first().waitFor();
    expect(page.url()).toBe(`${demo.url}/`);
    signedIn = await page.context().storageState();
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.stop("SIGKILL");
    await place?.cleanup();
  });

  test("a one-use link signs in once, and its cookie is out of reach of scripts", async () => {
    expect(signedIn.cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict" }]);
    const { page } = await visit(browser, link);
    await page.getByRole("alert").getByText("This sign-in link is wrong, used, or has expired").waitFor();
    expect(page.url()).toBe(`${demo.url}/`);
  });

  test("name and password sign in, a wrong one is told, signing out ends the session", async () => {
    const { page, troubles } = await visit(browser, demo.url);
    await page.getByLabel("User name").fill("ann");
    await page.getByLabel("Password", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The user name or the password is wrong").waitFor();
    expect(await findings(page)).toEqual([]);
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await rows(page).first().waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(troubles).toEqual([]);
  });

  test("filters stand in the address, narrow the list, and survive a reload", async () => {
    const { page, troubles } = await open("/");
    await page.getByText("1–25 of 260 calls").waitFor();
    await page.getByLabel("Agent").selectOption({ label: "Priya Nair" });
    await page.getByLabel("Outcome").selectOption("won");
    await page.getByLabel("Customer sentiment at least").fill("0.1");
    await page.keyboard.press("Enter");
    await vi.waitFor(() =>
      expect(Object.fromEntries(search(page))).toEqual({
        agent_id: "priya.nair",
        outcome: "won",
        min_sentiment: "0.1",
      }),
    );
    const { calls } = await demo.get<{ calls: { call_id: string }[] }>(`/api/v1/calls${new URL(page.url()).search}`);
    expect(calls.length).toBeGreaterThan(0);
    const shown = () => page.locator("tbody .row-link").allTextContents();
    await vi.waitFor(async () => expect(await shown()).toEqual(calls.map((c) => c.call_id)));
    await page.reload();
    await settled(page);
    expect(await shown()).toEqual(calls.map((c) => c.call_id));
    expect(await page.getByLabel("Agent").inputValue()).toBe("priya.nair");
    expect(await page.getByLabel("Customer sentiment at least").inputValue()).toBe("0.1");
    await page.getByLabel("From").fill("2031-01-01");
    await page.getByText("No call fits these filters").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByText("1–25 of 260 calls").waitFor();
    expect(troubles).toEqual([]);
  });

  test("an address with filters and an order opens the list as it was shared", async () => {
    const query = "?agent_id=priya.nair&from_date=2020-01-01&max_sentiment=0.3&sort=customer_sentiment_score";
    const { page, troubles } = await open(`/${query}`);
    const { calls } = await demo.get<{ calls: { call_id: string }[] }>(`/api/v1/calls${query}`);
    await rows(page).first().waitFor();
    expect(await page.locator("tbody .row-link").allTextContents()).toEqual(calls.map((c) => c.call_id));
    expect(await page.getByLabel("Agent").inputValue()).toBe("priya.nair");
    expect(await page.getByLabel("From").inputValue()).toBe("2020-01-01");
    expect(await page.getByLabel("Customer sentiment at least").inputValue()).toBe("");
    expect(await page.getByLabel("Customer sentiment at most").inputValue()).toBe("0.3");
    expect(await page.getByRole("columnheader", { name: "Sentiment" }).getAttribute("aria-sort")).toBe("ascending");
    expect(troubles).toEqual([]);
  });

  test("a wrong date in the address is answered in the server's words", async () => {
    const { page } = await visit(browser, `${demo.url}/?from_date=soon`, { storageState: signedIn });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("?from_date is no date");
  });

  test("pages go on by cursor, and back, also after a reload", async () => {
    const { page } = await open("/");
    const first = await page.locator("tbody .row-link").first().textContent();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("26–50 of 260 calls").waitFor();
    await vi.waitFor(async () => expect(await page.locator("tbody .row-link").first().textContent()).not.toBe(first));
    expect(search(page).get("cursor")).toBeTruthy();
    await page.reload();
    await page.getByText("26–50 of 260 calls").waitFor();
    await page.getByRole("button", { name: "Previous" }).click();
    await page.getByText("1–25 of 260 calls").waitFor();
    await vi.waitFor(async () => expect(await page.locator("tbody .row-link").first().textContent()).toBe(first));
  });

  test("columns order the list", async () => {
    const { page } = await open("/");
    await page.getByRole("button", { name: "Sentiment" }).click();
    const head = page.getByRole("columnheader", { name: "Sentiment" });
    await vi.waitFor(async () => expect(await head.getAttribute("aria-sort")).toBe("ascending"));
    const scores = async () =>
      (await page.locator("tbody .mean .num").allTextContents()).map((t) => Number(t.replace("−", "-")));
    await vi.waitFor(async () => {
      const all = await scores();
      expect(all[0]).toBeLessThan(-0.2);
      expect(all).toEqual(all.toSorted((a, b) => a - b));
    });
  });

  test("agents stand with rank, mean, interval and calls, and lead to their calls", async () => {
    const { page, troubles } = await open("/agents");
    const agents = await demo.get<{ agent_id: string; total_calls: number }[]>("/api/v1/analytics/agents");
    expect(await rows(page).count()).toBe(agents.length);
    expect(await page.getByRole("img", { name: /^95 % interval/ }).count()).toBe(agents.length * 2);
    expect(await page.title()).toBe("Agents · Earshot");
    const best = agents[0];
    await rows(page).first().click();
    await page.getByText(`${best?.total_calls} calls`).waitFor();
    expect(search(page).get("agent_id")).toBe(best?.agent_id);
    expect(troubles).toEqual([]);
  });

  test("a call shows its turns, its chart, and nudges whose turns light up and come into view", async () => {
    const { page, troubles } = await open("/calls/demo-0001");
    await page.locator(".recharts-line-curve").nth(1).waitFor();
    const call = await demo.get<{ turns: { text: string }[] }>("/api/v1/calls/demo-0001");
    expect(await page.locator(".turn").count()).toBe(call.turns.length);
    expect(await page.locator(".nudge").count()).toBe(3);
    type Nudge = { evidence: string[] };
    const { nudges } = await demo.get<{ nudges: Nudge[] }>("/api/v1/calls/demo-0001/recommendations");
    for (const [i, nudge] of nudges.entries()) {
      const numbers = nudge.evidence.map((id) => Number(id.slice(1))).toSorted((a, b) => a - b);
      await page.locator(".nudge").nth(i).hover();
      const lit = page.locator(".turn[data-lit=true]");
      expect(await Promise.all((await lit.all()).map((turn) => turn.getAttribute("aria-label")))).toEqual(
        numbers.map((n) => `Turn ${n}`),
      );
      const main = page.getByLabel(`Turn ${nudge.evidence[0]?.slice(1)}`, { exact: true });
      await vi.waitFor(async () => expect(await inBox(page, await main.boundingBox())).toBe(true));
      expect(await lit.first().textContent()).toContain(`Nudge ${i + 1}`);
      expect(await page.locator(".recharts-reference-line").count()).toBe(numbers.length + 1);
    }
    await page.locator(".nudge button").first().click();
    await page.mouse.move(0, 0);
    expect(await inFocus(page)).toContain(call.turns[Number(nudges[0]?.evidence[0]?.slice(1)) - 1]?.text);
    expect(await page.locator(".turn[data-lit=true]").count()).toBe(nudges[0]?.evidence.length);
    expect(troubles).toEqual([]);
  });

  test("a measure says what it means on focus and hover, and why it is not there", async () => {
    const { calls } = await demo.get<{ calls: { call_id: string; duration_seconds: number | null }[] }>(
      "/api/v1/calls?limit=100",
    );
    const untimed = calls.find((c) => c.duration_seconds === null)?.call_id ?? "";
    const { insights } = await demo.get<{ insights: { unavailable: Record<string, string> } }>(
      `/api/v1/calls/${untimed}`,
    );
    const { page } = await open(`/calls/${untimed}`);
    await page
      .getByText(insights.unavailable["patience_ms"] ?? "no reason")
      .first()
      .waitFor();
    const term = page.getByRole("button", { name: "Agent talk ratio" }).first();
    await term.focus();
    await page.getByRole("tooltip").getByText("agent_words ÷ (agent_words + customer_words)").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Interactivity" }).first().hover();
    await page.getByRole("tooltip").getByText("Definition:").waitFor();
  });

  test("similar calls lead on, and Back leads back to the filtered list", async () => {
    const { page } = await open("/?outcome=lost");
    await rows(page).first().click();
    const links = page.getByRole("region", { name: "Similar calls" }).getByRole("link");
    await links.nth(4).waitFor();
    expect(await links.count()).toBe(5);
    const to = await links.first().textContent();
    await links.first().click();
    await page.getByRole("heading", { level: 1, name: `Call ${to}` }).waitFor();
    await page.getByRole("link", { name: "All calls", exact: true }).click();
    await rows(page).first().waitFor();
    expect(search(page).get("outcome")).toBe("lost");
  });

  test("by keyboard alone: skip the header, open a call, read a definition, follow a nudge", async () => {
    const { page } = await open("/");
    await page.keyboard.press("Tab");
    expect(await inFocus(page)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    const first = (await page.locator("tbody .row-link").first().textContent()) ?? "";
    await tabTo(page, first);
    await page.keyboard.press("Enter");
    await page.locator(".nudge button").first().waitFor();
    expect(await inFocus(page)).toBe(`Call ${first}`);
    await tabTo(page, "Customer sentiment");
    await page.getByRole("tooltip").waitFor();
    await tabTo(page, (await page.locator(".nudge button").first().textContent()) ?? "");
    await page.locator(".turn[data-lit=true]").first().waitFor();
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await page.evaluate("document.activeElement.className")).toContain("turn"));
    // No trap: the way on leads through the similar calls and the measures to the end.
    await tabTo(page, "Sentiment change");
  });

  test("dark follows the system, and the switch is remembered", async () => {
    const { page } = await open("/", DARK);
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    expect(await background()).toBe("rgb(18, 21, 26)");
    await page.getByRole("button", { name: "Use the light colours" }).click();
    expect(await background()).toBe("rgb(246, 247, 249)");
    await page.reload();
    await settled(page);
    expect(await background()).toBe("rgb(246, 247, 249)");
  });

  test.each(VIEWS)(
    "%s: nothing serious for axe, light, dark or narrow; nothing is cut off or scrolls sideways",
    async (path) => {
      const { page, troubles } = await open(path);
      if (path.startsWith("/calls/")) {
        await page.locator(".recharts-line-curve").first().waitFor();
        await page.locator(".nudge button").first().focus();
      }
      expect(await findings(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: "dark" });
      await page.locator("html[data-mantine-color-scheme=dark]").waitFor();
      expect(await findings(page)).toEqual([]);
      for (const width of [820, 360]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await findings(page)).toEqual([]);
        expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
        expect(await cutOff(page)).toEqual([]);
      }
      await page.emulateMedia({ colorScheme: "light" });
      await page.locator("html[data-mantine-color-scheme=light]").waitFor();
      expect(await findings(page)).toEqual([]);
      expect(troubles).toEqual([]);
    },
  );

  test("the sign-in: nothing serious for axe, light or dark, wide or narrow", async () => {
    const { page, troubles } = await visit(browser, demo.url);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await findings(page)).toEqual([]);
        expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBe(width);
      }
    }
    expect(troubles).toEqual([]);
  });

  test("the first page weighs at most 250 KB with gzip", async () => {
    const urls: string[] = [];
    const context = await browser.newContext({ storageState: signedIn });
    const page = await context.newPage();
    page.on("request", (request) => urls.push(request.url()));
    await page.goto(demo.url);
    await rows(page).first().waitFor();
    const files = urls.filter((url) => url === `${demo.url}/` || url.includes("/assets/"));
    const sizes = await Promise.all(
      files.map(async (url) => {
        const response = await fetch(url, { headers: { "accept-encoding": "gzip" } });
        return Number(response.headers.get("content-length"));
      }),
    );
    const total = sizes.reduce((a, b) => a + b, 0);
    const paint = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
    console.log(
      `first page: ${files.length} files, ${Math.round(total / 1024)} KB gzip; painted after ${Math.round(paint)} ms`,
    );
    expect(files.length).toBeGreaterThanOrEqual(3);
    expect(total).toBeGreaterThan(50_000);
    expect(total).toBeLessThanOrEqual(250 * 1024);
  });
});

/** Texts of cells that stand beyond the edge of their panel, which hides what overflows. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll(".panel td, .panel dd")]
    .filter((cell) => cell.getBoundingClientRect().right > cell.closest(".panel").getBoundingClientRect().right + 1)
    .map((cell) => cell.textContent)`);
}

async function inBox(page: Page, turn: { y: number; height: number } | null): Promise<boolean> {
  const box = await page.getByRole("region", { name: "Turns of the call" }).boundingBox();
  return turn !== null && box !== null && turn.y >= box.y - 1 && turn.y + turn.height <= box.y + box.height + 1;
}
