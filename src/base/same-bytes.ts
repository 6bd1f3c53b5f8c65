/** Compares a secret with what somebody has given, in a time that depends on the length of `given` only. */
export function sameBytes(secret: Uint8Array, given: Uint8Array): boolean {
  let difference = secret.length ^ given.length;
  for (let i = 0; i < given.length; i++) {
    difference |= given[i]! ^ (secret[i % secret.length] ?? 0);
  }
  return difference === 0;
}
