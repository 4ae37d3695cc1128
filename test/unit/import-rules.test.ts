import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** file -> import that must be refused there. Each is one of the rules under "Who may import whom" in ARCHITECTURE.md. */
const REFUSED: Record<string, string> = {
  "src/core/bad-package.ts": "fastify",
  "src/core/bad-builtin.ts": "node:fs",
  "src/core/bad-port.ts": "../ports/calls.ts",
  "src/ports/bad-service.ts": "../services/fine.ts",
  "src/ports/bad-package.ts": "fastify",
  "src/ports/bad-error.ts": "../errors.ts",
  "src/errors.ts": "./ports/fine.ts",
  "src/demo/bad.ts": "../ports/calls.ts",
  "src/services/bad-adapter.ts": "../adapters/sql/fine.ts",
  "src/services/bad-http.ts": "../http/fine.ts",
  "src/services/bad-config.ts": "../config.ts",
  "src/observe/bad.ts": "../services/fine.ts",
  "src/http/bad-adapter.ts": "../adapters/sql/fine.ts",
  "src/http/routes/bad-adapter.ts": "../../adapters/sql/fine.ts",
  "src/http/routes/bad-config.ts": "../../config.ts",
  "src/http/bad-worker.ts": "../worker/fine.ts",
  "src/worker/bad.ts": "../app/fine.ts",
  "src/adapters/sql/bad-adapter.ts": "../vectors/fine.ts",
  "src/adapters/sql/bad-service.ts": "../../services/fine.ts",
  "src/adapters/sql/bad-http.ts": "../../http/fine.ts",
  "src/adapters/sql/postgres/bad-adapter.ts": "../../vectors/fine.ts",
  "src/adapters/sql/postgres/bad-service.ts": "../../../services/fine.ts",
  "src/adapters/sql/move/bad-adapter.ts": "../../vectors/fine.ts",
  "src/adapters/sql/move/bad-service.ts": "../../../services/fine.ts",
  "src/config.ts": "./adapters/sql/fine.ts",
  "src/main.ts": "./adapters/sql/fine.ts",
  "src/commands/bad.ts": "../adapters/sql/fine.ts",
  "src/commands/bad-port.ts": "../ports/calls.ts",
  "src/app/bad.ts": "../main.ts",
  "src/app/bad-command.ts": "../commands/fine.ts",
  "src/services/bad-app.ts": "../app/fine.ts",
  "web/src/bad-server.ts": "../../src/core/call.ts",
  "web/src/calls/bad-builtin.ts": "node:fs",
};

const ALLOWED: Record<string, string> = {
  "src/core/fine.ts": "./call.ts",
  "src/ports/fine.ts": "../core/call.ts",
  "src/ports/fine-port.ts": "./fine.ts",
  "src/services/fine.ts": "../ports/calls.ts",
  "src/http/fine.ts": "../services/fine.ts",
  "src/http/routes/fine.ts": "../../services/fine.ts",
  "src/http/routes/fine-sibling.ts": "../server.ts",
  "src/worker/fine.ts": "../services/fine.ts",
  "src/adapters/sql/fine.ts": "../../ports/calls.ts",
  "src/adapters/sql/fine-package.ts": "better-sqlite3",
  "src/adapters/sql/postgres/fine.ts": "../../../ports/calls.ts",
  "src/adapters/sql/postgres/fine-shared.ts": "../fine.ts",
  "src/adapters/sql/move/fine-shared.ts": "../postgres/fine.ts",
  "src/adapters/vectors/fine.ts": "../../core/call.ts",
  "src/commands/fine.ts": "../app/fine.ts",
  "src/app/fine.ts": "../adapters/sql/fine.ts",
  "src/commands/fine-service.ts": "../services/fine.ts",
  "web/src/calls/fine.ts": "../fine-sibling.ts",
};

interface Report {
  diagnostics: { code: string; filename: string }[];
}

let folder: string;
let report: Report;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "earshot-rules-"));
  await copyFile(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  await copyFile(join(root, "tsconfig.json"), join(folder, "tsconfig.json"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  };
  for (const [file, specifier] of Object.entries({ ...REFUSED, ...ALLOWED })) {
    await write(file, `import * as x from "${specifier}";\nexport const y = x;\n`);
  }
  await write("src/worker/cycle-a.ts", `import { b } from "./cycle-b.ts";\nexport const a = () => b;\n`);
  await write("src/worker/cycle-b.ts", `import { a } from "./cycle-a.ts";\nexport const b = () => a;\n`);
  await write("src/services/env.ts", `export const port = () => process.env["PORT"];\n`);
  report = await new Promise<Report>((resolve, reject) => {
    execFile(
      join(root, "node_modules/.bin/oxlint"),
      ["-f", "json", "src", "web"],
      { cwd: folder, maxBuffer: 1e8 },
      (_e, out, err) => {
        if (out.startsWith("{")) resolve(JSON.parse(out) as Report);
        else reject(new Error(`${out}${err}`));
      },
    );
  });
});

afterAll(() => rm(folder, { recursive: true }));

const refusals = (file: string, rule: string) =>
  report.diagnostics.filter((d) => d.filename.endsWith(file) && d.code.includes(rule)).length;

test.each(Object.entries(REFUSED))("%s may not import %s", (file) => {
  expect(refusals(file, "no-restricted-imports")).toBeGreaterThan(0);
});

test.each(Object.entries(ALLOWED))("%s may import %s", (file) => {
  expect(refusals(file, "no-restricted-imports")).toBe(0);
});

test("cycles are refused", () => {
  expect(refusals("cycle-a.ts", "no-cycle") + refusals("cycle-b.ts", "no-cycle")).toBeGreaterThan(0);
});

test("only main.ts reads the environment", () => {
  expect(refusals("services/env.ts", "no-process-env")).toBe(1);
});
