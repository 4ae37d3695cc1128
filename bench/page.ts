/** First paint and first rows of the dashboard, cold cache: `node bench/page.ts`. Fails when the median paint is later than 1 s. */
import { machine } from "./machine.ts";
import { launch, visit } from "../test/support/browser.ts";
import { modelDir } from "../test/support/model.ts";
import { startEarshot, temporaryFolder } from "../test/support/process.ts";

const VISITS = 15;
const LIMIT_MS = 1_000;

const place = await temporaryFolder();
const env = { EARSHOT_DATA_DIR: place.path, EARSHOT_MODEL_DIR: await modelDir(), EARSHOT_LOG_LEVEL: "warn" };
const demo = await startEarshot(env, ["demo"]);
const browser = await launch();
try {
  while (!demo.stdout().includes("Ctrl-C")) await new Promise((resolve) => setTimeout(resolve, 200));
  const link = /http:\S+#sign-in=\S+/.exec(demo.stdout())?.[0] ?? "";
  const first = await visit(browser, link);
  await first.page.locator("tbody tr").first().waitFor();
  const storageState = await first.page.context().storageState();
  const paints: number[] = [];
  const rows: number[] = [];
  for (let i = 0; i < VISITS; i++) {
    const { page } = await visit(browser, demo.url, { storageState });
    await page.locator("tbody tr").first().waitFor();
    paints.push(await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime"));
    rows.push(await page.evaluate<number>("performance.now()"));
    await page.context().close();
  }
  const result = {
    bench: "page",
    machine: machine(),
    visits: VISITS,
    first_paint_ms: spread(paints),
    rows_ms: spread(rows),
  };
  console.log(JSON.stringify(result));
  if (result.first_paint_ms.median > LIMIT_MS) process.exitCode = 1;
} finally {
  await browser.close();
  await demo.stop("SIGTERM");
  await place.cleanup();
}

function spread(values: readonly number[]): { median: number; worst: number } {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: Math.round(sorted[sorted.length >> 1] ?? 0), worst: Math.round(sorted.at(-1) ?? 0) };
}
