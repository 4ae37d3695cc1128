import type { Config } from "../config.ts";

/** What main.ts hands to every command. */
export interface Context {
  /** Reads the settings; overrides are EARSHOT_* values given as options. Throws ConfigError. */
  readonly config: (overrides?: Record<string, string>) => Config;
  /** Whether the user chose the data folder; the demo otherwise keeps its calls apart from real ones. */
  readonly dataDirChosen: boolean;
}

/** A line on stderr that redraws itself on a terminal and appears every few seconds elsewhere. */
export function progressLine(): { show: (text: string) => void; end: (text: string) => void } {
  const tty = process.stderr.isTTY;
  let last = Number.NEGATIVE_INFINITY;
  let width = 0;
  return {
    show(text) {
      const now = performance.now();
      if (now - last < (tty ? 80 : 3000)) return;
      last = now;
      if (tty) {
        process.stderr.write(`\r${text.padEnd(width)}`);
        width = text.length;
      } else process.stderr.write(`${text}\n`);
    },
    end(text) {
      process.stderr.write(tty ? `\r${text.padEnd(width)}\n` : `${text}\n`);
      width = 0;
      last = Number.NEGATIVE_INFINITY;
    },
  };
}

/** A bar of 24 cells for a share of 0..1. */
export function bar(share: number): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * 24);
  return `[${"#".repeat(full)}${"-".repeat(24 - full)}] ${Math.floor(share * 100)} %`;
}
