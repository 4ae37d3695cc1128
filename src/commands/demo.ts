import { join } from "node:path";
import type { Running } from "../app/start.ts";
import { storeName } from "../app/store.ts";
import type { Config } from "../config.ts";
import { ALL_PROCESS_ROLES } from "../core/process-roles.ts";
import { generateDemo } from "../demo/generate.ts";
import { AppError } from "../errors.ts";
import { acceptCalls, normalizeCall } from "../services/accept.ts";
import { readOrMakeSecret } from "../secrets.ts";
import { BUILT_IN_ADMIN, issueOneUse } from "../services/access.ts";
import { buildWeb, webIsStale } from "./build-web.ts";
import { bar, progressLine } from "./context.ts";
import { keepTalking } from "./demo-live.ts";
import { shutdownBound, startWithProgress, untilSignal } from "./running.ts";

const SEED = 1;
/** Start times count from the day the demo was first loaded, so a second start must not load it again. */
const LOADED = "demo.loaded";
const BULK = 2;
const LINK_MS = 3_600_000;

/** Builds the dashboard, sets the model up, loads the made-up calls once, enriches them, serves until a signal. */
export async function demo(config: Config): Promise<void> {
  const began = performance.now();
  await buildPage();
  const running = await startWithProgress(config, ALL_PROCESS_ROLES);
  console.log(`Earshot listens on ${running.url}; making it ready …`);
  const state = await running.models.settled();
  if (state.problem !== null) console.error(`Going on without the model: ${state.problem}`);
  const calls = await load(running);
  await enriched(running, calls);
  const link = await signInLink(running);
  console.log(guide({ url: running.url, link, config, calls, seconds: (performance.now() - began) / 1000 }));
  const quiet = new AbortController();
  const talking = keepTalking({ url: running.url, key: await adminKey(config), signal: quiet.signal });
  const close = async (): Promise<string[]> => {
    quiet.abort();
    await talking;
    return running.close();
  };
  await untilSignal({ log: running.log, close }, shutdownBound(config));
}

/** As the server itself takes it; the start has made the file where there is no setting. */
async function adminKey(config: Config): Promise<string> {
  return config.adminKey ?? (await readOrMakeSecret(join(config.dataDir, "admin.key"), "")).secret;
}

/** Where the page cannot be built, the API is worth serving all the same. */
async function buildPage(): Promise<void> {
  if (!(await webIsStale())) return;
  const line = progressLine();
  line.show("building the dashboard …");
  try {
    await buildWeb();
    line.end("the dashboard is built");
  } catch (error) {
    line.end(`going on without a fresh dashboard: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Behind the # the token reaches no server but ours, and no log. */
async function signInLink({ store, url }: Running): Promise<string> {
  const token = await issueOneUse(
    { accounts: store.accounts, now: Date.now },
    { account_id: BUILT_IN_ADMIN, use: "sign-in", ttl_ms: LINK_MS },
  );
  return `${url}/#sign-in=${token}`;
}

/** Accepts the demo's calls where they are not there yet; how many calls the store holds. */
async function load({ store }: Running): Promise<number> {
  const there = await store.jobs.bookmark(LOADED);
  if (there !== null) return Number(there);
  const now = Date.now();
  const made = generateDemo({ seed: SEED, now });
  const calls = made.map(({ call }) => {
    const normal = normalizeCall(call, { now });
    if (!normal.ok) throw new AppError("internal", `demo call ${call.call_id}: ${JSON.stringify(normal.errors)}`);
    return normal.call;
  });
  await acceptCalls({ calls: store.calls }, calls, BULK);
  await store.jobs.setBookmark(LOADED, String(calls.length));
  return calls.length;
}

/** Resolves when no work waits, with a bar meanwhile. */
async function enriched({ store }: Running, total: number): Promise<void> {
  const line = progressLine();
  const done = Promise.withResolvers<void>();
  const look = async () => {
    const { ready, running } = await store.work.depth();
    const left = ready + running;
    if (left === 0) done.resolve();
    else line.show(`enriching calls ${bar(1 - left / Math.max(total, left))}`);
  };
  const unsubscribe = store.events.onChange(() => void look().catch(done.reject));
  await look();
  await done.promise;
  unsubscribe();
  line.end(`${total} calls are enriched`);
}

interface Facts {
  readonly url: string;
  readonly link: string;
  readonly config: Config;
  readonly calls: number;
  readonly seconds: number;
}

function guide({ url, link, config, calls, seconds }: Facts): string {
  const key = config.adminKey === null ? `KEY=$(cat '${join(config.dataDir, "admin.key")}')` : "KEY=$EARSHOT_ADMIN_KEY";
  return `
Ready after ${seconds.toFixed(0)} s with ${calls} made-up sales calls. Nothing leaves this machine.

  Dashboard       ${link}
                  (signs you in once, within the hour; a call goes on under Live)
  API reference   ${url}/docs
  OpenAPI 3.1     ${url}/openapi.json
  Health          ${url}/health/ready

Try, in another terminal:

  ${key}
  curl -s -H "Authorization: Bearer $KEY" '${url}/api/v1/calls?max_sentiment=-0.2&limit=3'
  curl -s -H "Authorization: Bearer $KEY" '${url}/api/v1/calls/demo-0001/recommendations'
  curl -s -H "Authorization: Bearer $KEY" '${url}/api/v1/analytics/agents'
  curl -s -H "Authorization: Bearer $KEY" '${url}/api/v1/search?q=too+expensive&mode=hybrid&limit=3'

Ctrl-C ends it; the calls stay in ${storeName(config)}.`;
}
