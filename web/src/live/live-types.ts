/** What the live routes answer. */
export type { LiveAlert, LiveCall, LiveRow } from "../api-types.ts";
