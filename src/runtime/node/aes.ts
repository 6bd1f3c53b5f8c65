/** AES-128-CBC by node:crypto. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { AesProvider } from "../../codec/aes.ts";

const ALGORITHM = "aes-128-cbc";

/**
 * Where node:crypto overtakes the kernel, measured for encryption and decryption: between 512 and 768 bytes on Node.js 20, 22 and 26.
 * On 24 making a cipher object takes 20 µs, ten times as long, and it is between 4 and 8 KiB.
 */
const FROM_BYTES = 768;
const FROM_BYTES_NODE_24 = 4096;

export const nodeAes: AesProvider = {
  fromBytes: process.versions.node.startsWith("24.") ? FROM_BYTES_NODE_24 : FROM_BYTES,
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
