/** One call as the bytes of its answer: what is stored in the form it is sent in is passed on unparsed. */
import { documentText } from "../core/call-document.ts";
import type { StoredCall } from "../ports.ts";
import { presentRow } from "./present.ts";

/** The JSON of `{...presentCall(call, personal), ...more}`. */
export function callBytes(call: StoredCall, personal: boolean, more: Readonly<Record<string, unknown>>): Buffer {
  const head = `${JSON.stringify(presentRow(call.row, personal)).slice(0, -1)},`;
  const rest = JSON.stringify(more);
  const tail = rest === "{}" ? "}" : `,${rest.slice(1)}`;
  const document = personal ? call.document : null;
  if (document === null) return Buffer.from(head + documentText(call, personal).slice(1, -1) + tail);
  return Buffer.concat([Buffer.from(head), document.subarray(1, -1), Buffer.from(tail)]);
}
