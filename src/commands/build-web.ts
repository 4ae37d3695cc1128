/** The dashboard's files: built from web/ in a checkout, where Vite is installed. A deployment ships them built. */
import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const ROOT = join(import.meta.dirname, "../..");
const WEB = join(ROOT, "web");
const DIST = join(WEB, "dist");
/** Built here and moved there when it is whole: a server that starts meanwhile never reads half a page. */
const MAKING = join(ROOT, ".cache", `web-${process.pid}`);

/** True where the files are missing or older than what they are made from, and the sources are there. */
export async function webIsStale(): Promise<boolean> {
  if (!existsSync(join(WEB, "index.html"))) return false;
  const built = await mtime(join(DIST, "index.html"));
  const sources = await filesOf(WEB, (name) => name !== "dist");
  const times = await Promise.all([...sources, join(ROOT, "package-lock.json")].map(mtime));
  return built < Math.max(...times);
}

/** Builds web/dist with hashed names and compresses it; Vite is loaded only here. @throws where Vite is not installed */
export async function buildWeb(): Promise<void> {
  const [{ build }, { default: react }] = await Promise.all([import("vite"), import("@vitejs/plugin-react")]);
  await build({
    configFile: false,
    root: WEB,
    logLevel: "error",
    plugins: [react()],
    // Also where NODE_ENV says something else, as in tests.
    define: { "process.env.NODE_ENV": JSON.stringify("production") },
    oxc: { jsx: { development: false } },
    build: {
      outDir: MAKING,
      emptyOutDir: true,
      target: "es2023",
      // The page's policy allows no inline images, and a module preload needs no help from a script.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 2_000,
    },
  });
  for (const path of await filesOf(MAKING, () => true)) await compress(path);
  await rm(DIST, { recursive: true, force: true });
  await rename(MAKING, DIST);
}

async function compress(path: string): Promise<void> {
  const bytes = await readFile(path);
  if (bytes.length < 1_024) return;
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
}

async function filesOf(folder: string, into: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return into(entry.name) ? filesOf(path, into) : [];
  });
  return (await Promise.all(nested)).flat();
}

async function mtime(path: string): Promise<number> {
  return existsSync(path) ? (await stat(path)).mtimeMs : 0;
}
