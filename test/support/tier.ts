/** How much of a long test is done: all of it by `npm run test:faults`, a part by `npm test`. */

/** Kills of a server under load (EARSHOT_TEST_ROUNDS); other tests take their size from LONG. */
export const ROUNDS = Number(process.env["EARSHOT_TEST_ROUNDS"] ?? 20);
export const LONG = process.env["EARSHOT_TEST_ROUNDS"] !== undefined;
