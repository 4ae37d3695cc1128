/**
 * Takes docs/images anew, or those that are named: `node tools/take-screenshots.ts 'http://127.0.0.1:8000/#sign-in=…' [live]`
 * with the link of a running demo.
 */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { BrowserContextOptions, Page } from "playwright-core";

const FOLDER = join(import.meta.dirname, "../docs/images");
const DESK: BrowserContextOptions = { viewport: { width: 1240, height: 760 } };
const DARK: BrowserContextOptions = { ...DESK, colorScheme: "dark" };
const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 720 } };
const CALL = "/calls/demo-0001";
const MAX_BYTES = 150_000;

const SHOTS: readonly {
  name: string;
  path: string;
  options: BrowserContextOptions;
  before?: (page: Page) => Promise<void>;
}[] = [
  { name: "calls", path: "/", options: DESK },
  { name: "agents", path: "/agents", options: { viewport: { width: 1240, height: 640 } } },
  { name: "call", path: CALL, options: { viewport: { width: 1040, height: 830 } }, before: lightUp },
  { name: "call-dark", path: CALL, options: { ...DARK, viewport: { width: 1040, height: 830 } }, before: lightUp },
  { name: "phone", path: "/", options: PHONE },
  { name: "live", path: "/live/demo-live-1", options: { viewport: { width: 1040, height: 960 } }, before: listen },
];

async function lightUp(page: Page): Promise<void> {
  await page.locator(".nudge").first().hover();
  await page.locator(".turn[data-lit=true]").first().waitFor();
}

/** So many turns make a picture, an alert among them; the demo's call needs some two minutes for them. */
async function listen(page: Page): Promise<void> {
  await page.locator(".turn").nth(15).waitFor({ timeout: 240_000 });
  await lightUp(page);
}

const [link, ...names] = process.argv.slice(2);
if (link === undefined) throw new Error("give the sign-in link that the demo prints");
const executablePath = process.env["EARSHOT_TEST_CHROMIUM"] ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const first = await browser.newPage();
await first.goto(link);
await first.locator("tbody tr").first().waitFor();
const storageState = await first.context().storageState();
mkdirSync(FOLDER, { recursive: true });
for (const { name, path, options, before } of SHOTS) {
  if (names.length > 0 && !names.includes(name)) continue;
  const context = await browser.newContext({ storageState, locale: "en-GB", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  await page.goto(new URL(path, link).href);
  await page.locator("tbody tr, .nudge, .turn").first().waitFor();
  await page.waitForLoadState("networkidle");
  await before?.(page);
  const file = join(FOLDER, `${name}.png`);
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  console.log(`${name}.png ${Math.round(size / 1000)} KB`);
  if (size > MAX_BYTES) throw new Error(`${name}.png is larger than ${MAX_BYTES} bytes`);
  await context.close();
}
await browser.close();
