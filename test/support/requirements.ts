/** What some tests need beyond npm packages: found, or said in one line; EARSHOT_TEST_REQUIRE=a,b makes a lack a failure. */
import { existsSync } from "node:fs";
import { join } from "node:path";

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
  python3: {
    find: () =>
      (process.env["PATH"] ?? "")
        .split(":")
        .map((f) => join(f, "python3"))
        .find((path) => existsSync(path)),
    get: '"apt-get install -y python3"',
  },
} as const;

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
