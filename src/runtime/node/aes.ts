/** AES-128-CBC by node:crypto, which Deno and Bun have too. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { AesProvider } from "../../codec/aes.ts";

const ALGORITHM = "aes-128-cbc";

export const nodeAes: AesProvider = {
  encrypt(key, iv, bytes) {
    const cipher = createCipheriv(ALGORITHM, key, iv);
    return joined(cipher.update(bytes), cipher.final());
  },
  decrypt(key, iv, bytes) {
    const decipher = createDecipheriv(ALGORITHM, key, iv);
    return joined(decipher.update(bytes), decipher.final());
  },
};

function joined(body: Uint8Array, tail: Uint8Array): Uint8Array {
  if (tail.length === 0) return new Uint8Array(body.buffer, body.byteOffset, body.length);
  const whole = new Uint8Array(body.length + tail.length);
  whole.set(body);
  whole.set(tail, body.length);
  return whole;
}
