/** The command line of an installation without DuckDB. */
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith("@duckdb/")) throw new Error(`Cannot find package '${specifier}'`);
    return next(specifier, context);
  },
});
await import("../../src/main.ts");
