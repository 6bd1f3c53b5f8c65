/** A short text that differs where lists of texts differ, for comparing configurations. No protection against those who want it to. */

const ENCODER = new TextEncoder();

/** Sixteen hexadecimal digits. */
export function digestOf(rows: readonly (readonly string[])[]): string {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (const byte of ENCODER.encode(JSON.stringify(rows))) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(((high << 5) | (high >>> 27)) ^ byte, 0x85ebca6b);
  }
  return [high, low].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
