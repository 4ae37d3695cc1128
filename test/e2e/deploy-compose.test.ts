/** deploy/compose.yaml and its nginx: read by Docker's own loader, every claim that can be checked without Docker checked. */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { PROCESS_ROLES } from "../../src/core/process-roles.ts";
import {
  COMPOSE_FILE,
  KAFKA_FILE,
  composeProject,
  containerStages,
  envFile,
  type Project,
  pairs,
  ROOT,
} from "../support/deploy.ts";
import { freePort } from "../support/free-port.ts";
import { runNginx, type Nginx } from "../support/nginx.ts";
import { temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";

const compose = requirement("compose");
const nginx = requirement("nginx");
const example = envFile(join(ROOT, "deploy/compose/example.env"));

/** "15s", "1m30s" -> seconds. */
const seconds = (text: string): number =>
  [...text.matchAll(/(\d+)([ms])/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (unit === "m" ? 60 : 1), 0);

describe.skipIf(compose === null)("compose.yaml", () => {
  const read = (files: readonly string[] = [COMPOSE_FILE], env = example): Project =>
    composeProject(compose as string, files, env);
  const project = compose === null ? { services: {} } : read([COMPOSE_FILE, KAFKA_FILE]);
  const services = Object.entries(project.services);
  const ours = services.filter(([, { image }]) => image === "earshot:local");
  const of = (name: string) => project.services[name]?.environment ?? {};
  const option = (name: string, option: string): number =>
    Number(project.services[name]?.command?.find((arg) => arg.startsWith(`--${option}=`))?.split("=")[1]);
  const count = (name: string): number => project.services[name]?.deploy?.replicas ?? 1;

  test("has everything it says", () => {
    expect(Object.fromEntries(ours.map(([name]) => [name, count(name)]))).toEqual({
      api: 3,
      realtime: 2,
      worker: 2,
      relay: 1,
      migrate: 1,
    });
    expect(services.map(([name]) => name)).toEqual(
      expect.arrayContaining(["kafka", "postgres", "postgres-replica", "pgbouncer", "redis", "nginx"]),
    );
  });

  test.each([
    ["an option that there is not", (text: string) => text.replace("read_only: true", "readonly: true")],
    ["a service that there is not", (text: string) => text.replace("migrate: {", "migrated: {")],
    ["a volume that there is not", (text: string) => text.replace("- postgres:/var", "- postgre:/var")],
  ])("the loader refuses %s", async (_, damage) => {
    const { path, cleanup } = await temporaryFolder();
    const damaged = damage(readFileSync(COMPOSE_FILE, "utf8"));
    expect(damaged).not.toBe(readFileSync(COMPOSE_FILE, "utf8"));
    writeFileSync(join(path, "compose.yaml"), damaged);
    expect(() => read([join(path, "compose.yaml")])).toThrow();
    await cleanup();
  });

  test.each(Object.keys(example).filter((name) => name !== "EARSHOT_PUBLISH"))("does not start without %s", (name) => {
    const { [name]: _, ...rest } = example;
    expect(() => read([COMPOSE_FILE], rest)).toThrow(name);
  });

  test.each(ours.map(([name, service]) => ({ name, service })))("$name has settings that exist", ({ service }) => {
    const env = Object.fromEntries(Object.entries(service.environment ?? {}).map(([k, v]) => [k, v ?? ""]));
    expect(Object.keys(env).filter((name) => !name.startsWith("EARSHOT_"))).toEqual([]);
    const config = readConfig(env);
    expect(config.warnings).toEqual([]);
    const role = service.command?.[2];
    if (role !== undefined) expect(PROCESS_ROLES).toContain(role);
    expect(config.postgres).not.toBeNull();
  });

  test("each address names a service on a network of the asker's, at a port of its", () => {
    const ports: Record<string, string> = { postgres: "5432", "postgres-replica": "5432", redis: "6379" };
    ports["pgbouncer"] = project.services["pgbouncer"]?.environment?.["LISTEN_PORT"] ?? "";
    let checked = 0;
    for (const [name, service] of ours) {
      for (const [setting, value] of Object.entries(service.environment ?? {})) {
        if (setting === "EARSHOT_KAFKA_BROKERS") expect(value).toBe("kafka:9092");
        for (const address of (value ?? "").split(",").filter((part) => part.includes("://"))) {
          const { hostname, port } = new URL(address);
          expect(ports[hostname], `${name}: ${address}`).toBe(port);
          const theirs = Object.keys(project.services[hostname]?.networks ?? {});
          expect(Object.keys(service.networks ?? {}).some((network) => theirs.includes(network))).toBe(true);
          checked++;
        }
      }
    }
    expect(checked).toBeGreaterThan(10);
  });

  test("connections fit", () => {
    // One more each listens for events, or migrates.
    const taken = ours.reduce(
      (sum, [name, s]) => sum + count(name) * (Number(s.environment?.["EARSHOT_STORE_POOL"]) + 1),
      0,
    );
    expect(taken).toBeLessThan(Number(of("pgbouncer")["MAX_CLIENT_CONN"]));
    expect(taken).toBeLessThan(option("postgres-replica", "max_connections"));
    expect(option("postgres-replica", "max_connections")).toBeGreaterThanOrEqual(option("postgres", "max_connections"));
    expect(Number(of("pgbouncer")["DEFAULT_POOL_SIZE"])).toBeLessThan(option("postgres", "max_connections"));
  });

  test("each service is watched, bounded and waited for until it is well", () => {
    const image = containerStages()
      .get("final")
      ?.some(({ name }) => name === "HEALTHCHECK");
    for (const [name, service] of services) {
      const watched = service.healthcheck?.test !== undefined || (service.image === "earshot:local" && image);
      expect([name, watched || service.healthcheck?.disable]).toEqual([name, true]);
      const { cpus = 0, memory = 0 } = service.deploy?.resources?.limits ?? {};
      expect([name, cpus > 0, Number(memory) > 0]).toEqual([name, true, true]);
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect([name, other, condition]).toEqual([
          name,
          other,
          other === "migrate" ? "service_completed_successfully" : "service_healthy",
        ]);
      }
    }
    for (const [, service] of ours) {
      expect(service.read_only).toBe(true);
      // Longer than a shutdown takes.
      expect(seconds(service.stop_grace_period ?? "")).toBeGreaterThan(10);
    }
  });

  test("what is mounted is there", () => {
    for (const [, { volumes = [] }] of services) {
      for (const { type, source } of volumes) if (type === "bind") expect(() => readFileSync(source)).not.toThrow();
    }
  });

  test("example.env says what the file asks for", () => {
    expect(read().services["kafka"]).toBeUndefined();
    const asked = [...readFileSync(COMPOSE_FILE, "utf8").matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
    expect(new Set([...asked, "EARSHOT_PUBLISH"])).toEqual(new Set(Object.keys(example)));
  });
});

describe.skipIf(nginx === null)("nginx of compose.yaml", () => {
  const ends: (() => unknown)[] = [];
  let proxy: Nginx;
  let seen: IncomingMessage["headers"] = {};

  /** Answers its name. */
  const listen = async (name: string): Promise<number> => {
    const server = createServer((request, response) => {
      seen = request.headers;
      response.end(name);
    });
    server.on("upgrade", (request, socket) => {
      seen = request.headers;
      socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    });
    ends.push(() => server.close());
    const port = await freePort();
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    return port;
  };

  beforeAll(async () => {
    const folder = await temporaryFolder();
    ends.push(folder.cleanup);
    const port = await freePort();
    let text = readFileSync(join(ROOT, "deploy/compose/nginx.conf"), "utf8");
    const replace = (pattern: RegExp, by: string) => {
      expect(text).toMatch(pattern);
      text = text.replace(pattern, by);
    };
    // Its hosts, and what only a container has.
    for (const name of ["api", "realtime"]) {
      replace(new RegExp(`server ${name}:8000 resolve `), `server 127.0.0.1:${await listen(name)} `);
    }
    replace(/listen 8080;/, `listen 127.0.0.1:${port};`);
    text = text.replaceAll("/tmp/", `${folder.path}/`);
    proxy = await runNginx({ program: nginx as string, folder: folder.path, text, port });
    ends.push(() => proxy.close());
  });

  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });

  test("sends every address of the API to a process with its role", async () => {
    const document = JSON.parse(readFileSync(join(ROOT, "openapi.json"), "utf8")) as {
      paths: Record<string, Record<string, { tags?: string[] }>>;
    };
    let live = 0;
    for (const [path, operations] of Object.entries(document.paths)) {
      const realtime = Object.values(operations).some(({ tags }) => tags?.includes("live"));
      const answer = await fetch(proxy.url + path.replaceAll(/\{\w+\}/g, "an id/1".replaceAll(/[ /]/g, "-")));
      expect([path, await answer.text()]).toEqual([path, realtime ? "realtime" : "api"]);
      if (realtime) live++;
    }
    expect(live).toBeGreaterThan(8);
    for (const page of ["/", "/agents", "/calls/x", "/live", "/live/x", "/docs", "/openapi.json"]) {
      expect([page, await (await fetch(proxy.url + page)).text()]).toEqual([page, "api"]);
    }
    expect(await (await fetch(`${proxy.url}/socket.io/?EIO=4`)).text()).toBe("realtime");
  });

  test("passes on what clients are, keeps metrics to itself, and is well", async () => {
    await fetch(`${proxy.url}/api/v1/calls`, { headers: { "x-forwarded-for": "203.0.113.9" } });
    expect(seen["x-forwarded-for"]).toBe("127.0.0.1");
    expect(seen["host"]).toBe(new URL(proxy.url).host);
    expect((await fetch(`${proxy.url}/metrics`)).status).toBe(404);
    expect((await fetch(`${proxy.url}/nginx-health`)).status).toBe(204);
    const socket = new WebSocket(`${proxy.url.replace("http", "ws")}/ws/feed`);
    await new Promise((done) => socket.addEventListener("error", done));
    expect(seen["upgrade"]).toBe("websocket");
    expect(seen["connection"]).toBe("upgrade");
  });

  test.each([
    ["/api/v1/calls?x=1", "api"],
    ["/api/v1/live?x=1", "realtime"],
    ["/api/v1/calls/c-1/turns", "realtime"],
  ])("sends a POST with a key to %s where it belongs", async (path, to) => {
    const answer = await fetch(proxy.url + path, { method: "POST", headers: { "idempotency-key": '"k"' }, body: "{}" });
    expect([answer.status, await answer.text()]).toEqual([200, to]);
    expect([seen["idempotency-key"], seen["x-forwarded-for"]]).toEqual(['"k"', "127.0.0.1"]);
  });

  test("asks the port that the image listens on", () => {
    const { EARSHOT_PORT } = pairs(
      containerStages()
        .get("runtime-fetched")
        ?.findLast(({ name }) => name === "ENV")?.rest ?? "",
    );
    const asked = [
      ...readFileSync(join(ROOT, "deploy/compose/nginx.conf"), "utf8").matchAll(/server \w+:(\d+) resolve/g),
    ];
    expect(asked.map(([, port]) => port)).toEqual([EARSHOT_PORT, EARSHOT_PORT]);
    const { services } = parse(readFileSync(COMPOSE_FILE, "utf8"), { merge: true }) as {
      services: Record<string, { ports?: string[] }>;
    };
    expect(services["nginx"]?.ports).toEqual(["${EARSHOT_PUBLISH:-127.0.0.1:8080}:8080"]);
  });
});
