/** The page when there is little to show: no calls, no model, no server. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, findings, launch, visit } from "../support/browser.ts";
import { type Earshot, runCli, startEarshot, temporaryFolder } from "../support/process.ts";

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Earshot;
let browser: Browser;
let env: Record<string, string>;

describe.skipIf(chromiumPath === null)("states", () => {
  beforeAll(async () => {
    place = await temporaryFolder();
    env = { EARSHOT_DATA_DIR: place.path, EARSHOT_MODEL_DIR: "statistical:", EARSHOT_LOG_LEVEL: "warn" };
    [server, browser] = await Promise.all([startEarshot(env), launch()]);
    const args = ["users", "add", "ann", "--role", "admin", "--password-stdin"];
    expect((await runCli(args, env, "correct horse battery")).code).toBe(0);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop("SIGKILL");
    await place?.cleanup();
  });

  test("loading is drawn and told until the answer comes", async () => {
    const { page, troubles } = await visit(browser, server.url);
    const gate = Promise.withResolvers<void>();
    await page.route("**/api/v1/calls?*", async (route) => {
      await gate.promise;
      await route.continue();
    });
    await signIn(page);
    await page.getByRole("status", { name: "Loading" }).waitFor();
    expect(await findings(page)).toEqual([]);
    gate.resolve();
    await page.getByText("No calls yet").waitFor();
    expect(await page.getByRole("status", { name: "Loading" }).count()).toBe(0);
    expect(troubles).toEqual([]);
  });

  test("empty, then degraded, then without a server, then back", async () => {
    const { page, troubles } = await visit(browser, server.url);
    await signIn(page);
    await page.getByText("No calls yet").waitFor();
    expect(await findings(page)).toEqual([]);
    await page.getByRole("link", { name: "Agents" }).click();
    await page.getByText("No agents yet").waitFor();

    const sent = await server.call("POST", "/api/v1/calls", {
      call_id: "first",
      agent_id: "ana",
      transcript: "Agent: Hello, how can I help?\nCustomer: I am so tired of these terrible bills.\nAgent: I see.",
    });
    expect(sent.status).toBe(202);
    await page.goto(`${server.url}/calls/first`);
    await page.getByText("Word list", { exact: true }).waitFor();
    await page.getByText("The language model is not running").waitFor();
    // No vectors without a model: the page says why there are no similar calls.
    const similar = page.getByRole("region", { name: "Similar calls" });
    await similar.locator("p").waitFor();
    expect(await similar.getByRole("link").count()).toBe(0);
    expect((await similar.textContent())?.length).toBeGreaterThan("Similar calls".length + 10);
    expect(await findings(page)).toEqual([]);

    await page.goto(`${server.url}/calls/nobody`);
    await page.getByRole("alert").getByText("Call record not found").waitFor();
    await page.getByRole("link", { name: "Calls", exact: true }).click();
    await page.getByRole("link", { name: "first" }).waitFor();

    await server.stop();
    await page.getByLabel("Outcome").selectOption("won");
    await page.getByText("The server cannot be reached").waitFor();
    expect(await findings(page)).toEqual([]);
    server = await startEarshot({ ...env, EARSHOT_PORT: new URL(page.url()).port });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("No call fits these filters").waitFor();
    expect(troubles).toEqual([]);
  });
});

async function signIn(page: Page): Promise<void> {
  await page.getByLabel("User name").fill("ann");
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery");
  await page.keyboard.press("Enter");
}
