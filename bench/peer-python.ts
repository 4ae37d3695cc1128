/** The Python that has the peer's packages: PEER_PYTHON, else the virtual environment of bench/peer/README.md, else python3. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const VENV = resolve(import.meta.dirname, "../.cache/venv/bin/python");
export const PYTHON: string = process.env["PEER_PYTHON"] ?? (existsSync(VENV) ? VENV : "python3");

/** Versions of what the peer runs on; null with a sentence on stderr where it cannot run. */
export function peerStack(): string | null {
  const code =
    "import sys, fastapi, uvicorn, sqlalchemy, aiosqlite, orjson, numpy, greenlet, sqlite3\n" +
    "print(f'Python {sys.version.split()[0]}, FastAPI {fastapi.__version__}, SQLAlchemy {sqlalchemy.__version__}, SQLite {sqlite3.sqlite_version}')";
  const asked = spawnSync(PYTHON, ["-c", code], { encoding: "utf8" });
  if (asked.status === 0) return asked.stdout.trim();
  console.error("the peer cannot run (see bench/peer/README.md): Earshot is measured alone");
  return null;
}
