import type { AppError } from "../../errors.ts";
import { storeFault } from "./store-error.ts";

/** A read tries a lock for some milliseconds, in which the event loop stands still for everybody. */
const PAUSE_MS = 250;

/** Reads of the event loop's connection: after a fault of the file the next ones fail at once, until one may try again. */
export class ReadPause {
  #fault: AppError | null = null;
  #until = 0;

  /** What `read` gives. @throws store_unavailable for faults of the file, and for a moment after one */
  run<T>(read: () => T): T {
    if (this.#fault !== null && performance.now() < this.#until) throw this.#fault;
    try {
      const value = read();
      this.#fault = null;
      return value;
    } catch (cause) {
      const fault = storeFault(cause);
      if (fault === null) throw cause;
      this.#fault = fault;
      this.#until = performance.now() + PAUSE_MS;
      throw fault;
    }
  }
}
