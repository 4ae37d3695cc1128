/** Secrets made at the first start, kept in the data folder for this user only. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";

/** The text in `path`; made (0600, 256 bits, base64url after `prefix`) where the file is not there yet. */
export async function readOrMakeSecret(path: string, prefix: string): Promise<{ secret: string; made: boolean }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // "wx" so that of two processes that start at once one writes and the other reads.
    const file = await open(path, "wx", 0o600);
    try {
      const secret = prefix + randomBytes(32).toString("base64url");
      await file.writeFile(`${secret}\n`);
      await file.sync();
      return { secret, made: true };
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const secret = (await readFile(path, "utf8")).trim();
  if (secret.length < 16) throw new Error(`${path} holds no secret: delete it and start again to have one made`);
  return { secret, made: false };
}
