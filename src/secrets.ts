/** Secrets made at the first start, kept in the data folder for this user only. */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** The text in `path`; made (0600, 256 bits, base64url after `prefix`) where the file is not there yet. */
export async function readOrMakeSecret(path: string, prefix: string): Promise<{ secret: string; made: boolean }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const there = await read(path);
  if (there !== null) return { secret: there, made: false };
  const made = prefix + randomBytes(32).toString("base64url");
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(`${made}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // Whole and on disk before it has its name: of several first starts at once one wins, and the others read all of it.
    await link(draft, path);
    return { secret: made, made: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const theirs = await read(path);
  if (theirs === null) throw new Error(`${path} was deleted while it was read: start again`);
  return { secret: theirs, made: false };
}

/** null where there is no such file. */
async function read(path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  const secret = text?.trim() ?? null;
  if (secret !== null && secret.length < 16)
    throw new Error(`${path} holds no secret: delete it and start again to have one made`);
  return secret;
}
