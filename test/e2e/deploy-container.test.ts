/** The container file without Docker: linted, and what its last stage holds run as it would be there. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { containerStages, pairs, ROOT } from "../support/deploy.ts";
import { freePort } from "../support/free-port.ts";
import { startEarshot, temporaryFolder } from "../support/process.ts";
import { requirement } from "../support/requirements.ts";

const hadolint = requirement("hadolint");
const mount = requirement("mount");
const stages = containerStages();
const instructions = (stage: string, name: string): string[] =>
  (stages.get(stage) ?? []).filter((i) => i.name === name).map(({ rest }) => rest);
/** Of all stages that the last one is made from. */
const last = (name: string): string[] => [...instructions("runtime-fetched", name), ...instructions("final", name)];
const environment = pairs(last("ENV")[0] ?? "");

const lint = (text: string) => spawnSync(hadolint as string, ["-"], { input: text, encoding: "utf8" });

describe.skipIf(hadolint === null)("the linter of container files", () => {
  const text = readFileSync(join(ROOT, "deploy/Containerfile"), "utf8");

  test("finds nothing", () => {
    const { status, stdout } = lint(text);
    expect([stdout, status]).toEqual(["", 0]);
  });

  test.each([
    ["an instruction that there is not", text.replace("EXPOSE", "EXPOSED")],
    ["a command that goes by a shell", text.replace('CMD ["serve"]', "CMD serve")],
  ])("finds %s", (_, damaged) => {
    expect(damaged).not.toBe(text);
    expect(lint(damaged).status).not.toBe(0);
  });
});

describe("the container file", () => {
  test("runs as nobody in particular, answers where it says, and names the version", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(last("USER")).toEqual(["1000:1000"]);
    expect(last("EXPOSE")).toEqual([environment["EARSHOT_PORT"]]);
    expect(last("VOLUME")).toEqual([environment["EARSHOT_DATA_DIR"]]);
    expect(last("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(last("ARG")).toContain(`VERSION=${version}`);
    expect(Object.keys(pairs(last("LABEL")[0] ?? ""))).toEqual(
      ["title", "description", "licenses", "version", "revision"].map((name) => `org.opencontainers.image.${name}`),
    );
  });

  test("Node is of the version that Earshot needs", () => {
    const needed = /major < (\d+)/.exec(readFileSync(join(ROOT, "bin/earshot.mjs"), "utf8"))?.[1];
    expect(readFileSync(join(ROOT, "deploy/Containerfile"), "utf8")).toContain(`ARG NODE_VERSION=${needed}\n`);
  });

  test("everything that it copies is sent to the builder", () => {
    const ignore = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    const sent = ignore.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    expect(ignore.find((line) => line !== "" && !line.startsWith("#"))).toBe("*");
    const copied = [...stages.keys()].flatMap((stage) => instructions(stage, "COPY"));
    for (const rest of copied.filter((rest) => !rest.startsWith("--from="))) {
      for (const source of rest.split(" ").slice(0, -1)) {
        expect(existsSync(join(ROOT, source)), source).toBe(true);
        expect(sent).toContain(source);
      }
    }
  });

  test.skipIf(mount === null)(
    "what it holds serves on a read-only system, is well, and ends when told to",
    async () => {
      const { path, cleanup } = await temporaryFolder();
      const app = join(path, "app");
      mkdirSync(app);
      for (const rest of last("COPY")) {
        const [from, to = ""] = rest.split(" ").slice(-2);
        if (rest.startsWith("--from=")) {
          const place = join(app, to);
          mkdirSync(dirname(place), { recursive: true });
          symlinkSync(join(ROOT, (from ?? "").replace("/app/", "")), place);
        } else {
          for (const source of rest.split(" ").slice(0, -1)) {
            cpSync(join(ROOT, source), join(app, to === "./" ? source : to), { recursive: true });
          }
        }
      }
      const data = join(path, "data");
      const temporary = join(path, "tmp");
      for (const folder of [data, temporary]) mkdirSync(folder);
      const places = { EARSHOT_DATA_DIR: data, HOME: temporary, TMPDIR: temporary, npm_config_cache: temporary };
      const env = {
        ...environment,
        ...places,
        EARSHOT_PORT: String(await freePort()),
        EARSHOT_MODEL_DIR: "statistical:",
      };
      // Two places stay as they are; all the rest can only be read.
      const jail = `mount --bind ${data} ${data} && mount --bind ${temporary} ${temporary} && mount -o remount,bind,ro / && exec "$@"`;
      const under = [mount as string, "-rm", "sh", "-c", jail, "sh"];
      const [program = "", ...args] = JSON.parse(last("ENTRYPOINT")[0] ?? "[]") as string[];
      expect(program).toBe("node");
      const command = JSON.parse(last("CMD")[0] ?? "[]") as string[];
      const server = await startEarshot(env, command, [...under, "env", "-C", app], join(app, args[0] ?? ""));
      try {
        expect(readFileSync(`/proc/${server.pid}/mountinfo`, "utf8")).toMatch(/ \/ \/ ro[, ]/);
        expect((await server.call("GET", "/health/ready")).status).toBe(200);
        expect(await (await fetch(`${server.url.replace("0.0.0.0", "127.0.0.1")}/`)).text()).toContain("<html");
        const body = { call_id: "c-1", transcript: "Agent: Hello.\nCustomer: Good day." };
        expect((await server.call("POST", "/api/v1/calls", body)).status).toBe(202);
        const [, check = ""] = /^.*?CMD (\[.*\])$/.exec(last("HEALTHCHECK")[0] ?? "") ?? [];
        const [, ...look] = JSON.parse(check) as string[];
        expect(spawnSync(process.execPath, look, { env }).status).toBe(0);
        const elsewhere = { ...env, EARSHOT_PORT: String(await freePort()) };
        expect(spawnSync(process.execPath, look, { env: elsewhere }).status).toBe(1);
      } finally {
        expect(await server.stop("SIGTERM")).toEqual([0, null]);
        await cleanup();
      }
    },
  );
});
