/** One call as the bytes of its answer: what is stored in the form it is sent in is passed on unparsed. */
import { documentText } from "../core/call-document.ts";
import type { StoredCall } from "../ports/calls.ts";
import { presentRow } from "./present.ts";

/** UTF-8 needs no more for one unit of a string. */
const MOST_BYTES = 3;

/** The JSON of `{...presentCall(call, personal), ...more}`, in a buffer that `allocate` gives for so many bytes or more. */
export function callBytes(
  call: StoredCall,
  personal: boolean,
  more: Readonly<Record<string, unknown>>,
  allocate: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafe(bytes),
): Buffer {
  const head = `${JSON.stringify(presentRow(call.row, personal)).slice(0, -1)},`;
  const rest = JSON.stringify(more);
  const tail = rest === "{}" ? "}" : `,${rest.slice(1)}`;
  const document = personal ? call.document : null;
  if (document === null) return Buffer.from(head + documentText(call, personal).slice(1, -1) + tail);
  const bytes = allocate(MOST_BYTES * (head.length + tail.length) + document.length);
  let end = bytes.write(head);
  end += document.copy(bytes, end, 1, document.length - 1);
  end += bytes.write(tail, end);
  return bytes.subarray(0, end);
}
