/** Positions in the log of the server (LSN). */

/** "16/B374D848" -> one number that grows; null for anything else. */
export function parsePosition(text: string): bigint | null {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/.exec(text) ?? [];
  return high === undefined ? null : (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

const hex = (part: bigint): string => part.toString(16).toUpperCase();

/** The other way round. */
export function formatPosition(position: bigint): string {
  return `${hex(position >> 32n)}/${hex(position & 0xffffffffn)}`;
}
