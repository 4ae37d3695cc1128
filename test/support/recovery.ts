/**
 * A database that cannot be read: another process holds the locks of a recovery of the write-ahead log, with the log's
 * index half made, as when it died in the middle and its successor is slow. Readers and writers alike get SQLITE_BUSY.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Locks 120 (write) to 122 (recover) of the index, header wiped; at the end of stdin all is as it was. */
const SCRIPT = `
import fcntl, os, sys
f = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(f, fcntl.LOCK_EX, 3, 120)
header = os.pread(f, 96, 0)
os.pwrite(f, bytes(96), 0)
print("held", flush=True)
sys.stdin.read()
os.pwrite(f, header, 0)
fcntl.lockf(f, fcntl.LOCK_UN, 3, 120)
print("free", flush=True)
`;

/** Resolves when the file at `path` cannot be read any more; call the answer to let go. */
export async function holdInRecovery(python: string, path: string): Promise<() => Promise<void>> {
  const child = spawn(python, ["-c", SCRIPT, `${path}-shm`], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return async () => {
    const ended = once(child, "close");
    child.stdin.end();
    await ended;
  };
}
