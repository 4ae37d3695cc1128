/** A lake in a folder. */
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { forEachName, type Objects } from "./objects.ts";

/** @param folder absolute; made when something is written */
export function folderObjects(folder: string): Objects {
  const path = (name: string): string => join(folder, name);
  return {
    name: folder,
    folder,
    async publish(names) {
      await forEachName(names, async (name) => {
        await chmod(path(name), 0o600);
        await sync(path(name));
      });
      // A folder that is new is an entry of the one above.
      const folders = new Set(names.flatMap((name) => [dirname(path(name)), dirname(dirname(path(name)))]));
      await forEachName([...folders], sync);
    },
    fetch: (name) =>
      stat(path(name)).then(
        () => true,
        (error: unknown) => absent(error, false),
      ),
    read: (name) => readFile(path(name), "utf8").catch((error: unknown) => absent(error, null)),
    async create(name, text) {
      await mkdir(dirname(path(name)), { recursive: true, mode: 0o700 });
      // Whole under a name of its own first: link() gives it its name or fails, as rename would not.
      const half = `${path(name)}.${randomBytes(4).toString("hex")}`;
      try {
        const file = await open(half, "wx", 0o600);
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
        await link(half, path(name));
        await sync(dirname(path(name)));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      } finally {
        await rm(half, { force: true });
      }
    },
    list: (prefix) => filesUnder(folder, prefix),
    async remove(names) {
      await forEachName(names, (name) => rm(path(name), { force: true }));
    },
    fetched: async () => [],
    forget: async () => undefined,
  };
}

/** Names of files of which each begins with `prefix`, the name of a folder with its slash. */
export async function filesUnder(folder: string, prefix: string): Promise<string[]> {
  const entries = await readdir(join(folder, prefix), { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => absent(error, []),
  );
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .toSorted();
}

function absent<T>(error: unknown, value: T): T {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return value;
  throw error;
}

/** On the disk: what is in the file, or which names the folder has. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
