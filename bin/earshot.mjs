#!/usr/bin/env node
// Plain JavaScript on purpose: on an old Node the TypeScript entry would die with a syntax error before it could explain.
const major = Number(process.versions.node.split(".")[0]);
if (major < 26) {
  console.error(
    `earshot needs Node 26 or newer; this is ${process.version}. In a checkout, "npm ci" brings the right one: run "npm run earshot -- …".`,
  );
  process.exit(1);
}
await import("../src/main.ts");
