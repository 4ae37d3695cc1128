/** Headless Chromium against a running server. */
import axe from "axe-core";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { requirement } from "./requirements.ts";

export const chromiumPath = requirement("chromium");

export function launch(): Promise<Browser> {
  if (chromiumPath === null) throw new Error("chromium is not installed");
  return chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
}

export interface Visit {
  readonly page: Page;
  /** Uncaught errors and blocked or broken scripts, styles and images. */
  readonly troubles: readonly string[];
}

/** A page of its own; ends with the browser. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy|React/.test(message.text())) troubles.push(message.text());
  });
  await page.goto(url);
  return { page, troubles };
}

/** Serious and critical findings of axe, as "rule: selector". */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>("axe.run({ resultTypes: ['violations'] })");
  return violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")} ${n.failureSummary ?? ""}`));
}

/** The text of what has the focus. */
export const inFocus = (page: Page) => page.evaluate<string>("document.activeElement.textContent");

/** Tabs until what has the focus reads so; fails after a way that is too long. */
export async function tabTo(page: Page, text: string): Promise<void> {
  for (let i = 0; i < 120; i++) {
    if ((await inFocus(page)) === text) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the Tab key does not lead to "${text}"`);
}
