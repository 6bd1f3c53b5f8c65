/** The entropy channel read slowly, all of it at once, with node:crypto for the chunks. */
import { createDecipheriv } from "node:crypto";
import { Incomplete } from "./cut.ts";

export interface SlowSnapshot {
  /** The plain chunks in front of where reading ended. */
  readonly chunks: Uint8Array[];
  /** "finished", "incomplete", or the code of what is wrong. */
  readonly status: string;
}

export interface SlowSnapshotOptions {
  readonly cipher?: { readonly key: Uint8Array; readonly iv: Uint8Array };
  readonly allowPlain?: boolean;
  readonly maxTotalBytes?: number;
}

const FIVE_MIB = 5 * 1024 * 1024;

export function readSnapshot(bytes: Uint8Array, options: SlowSnapshotOptions): SlowSnapshot {
  const chunks: Uint8Array[] = [];
  let at = 0;
  const take = (count: number): Uint8Array => {
    if (bytes.length - at < count) throw new Incomplete(at + count);
    at += count;
    return bytes.subarray(at - count, at);
  };
  const numbers = (taken: Uint8Array, count: number): number[] => {
    const view = new DataView(taken.buffer, taken.byteOffset);
    return Array.from({ length: count }, (_, i) => view.getUint32(i * 4));
  };
  const within = (value: number, least: number, most: number, code: string) => {
    if (value < least || value > most) throw code;
  };
  try {
    const [magic, command, header = 0, buffer = 0, cipherSize = 0] = numbers(take(20), 5);
    if (magic !== 0x64640001) throw "ENTROPY_BAD_MAGIC";
    if (command !== 1) throw "ENTROPY_BAD_COMMAND";
    within(header, 8, 1024, "ENTROPY_BAD_HEADER_SIZE");
    within(buffer, 1, FIVE_MIB, "ENTROPY_BAD_BUFFER_SIZE");
    within(cipherSize, 1, FIVE_MIB, "ENTROPY_BAD_CIPHER_SIZE");
    const [total = 0, flag] = numbers(take(header), 2);
    if (flag !== 0 && flag !== 1) throw "ENTROPY_BAD_FLAG";
    if (total > 0xfffffffe || total > (options.maxTotalBytes ?? total)) throw "ENTROPY_TOO_LARGE";
    if (flag === 1 && options.cipher === undefined) throw "ENTROPY_NO_KEY";
    if (flag === 0 && options.cipher !== undefined && !options.allowPlain)
      throw "ENTROPY_NOT_ENCRYPTED";
    let left = total;
    while (left > 0) {
      const [length = 0] = numbers(take(4), 1);
      if (length === 0) throw "ENTROPY_EMPTY_CHUNK";
      if (length > cipherSize) throw "ENTROPY_CHUNK_TOO_LONG";
      const body = take(length);
      const plain = flag === 1 ? decrypt(options.cipher!, body) : body;
      if (plain.length === 0) throw "ENTROPY_EMPTY_CHUNK";
      if (plain.length > left) throw "ENTROPY_OVERSHOOT";
      chunks.push(plain);
      left -= plain.length;
    }
    if (at < bytes.length) throw "ENTROPY_TRAILING";
    return { chunks, status: "finished" };
  } catch (reason) {
    if (reason instanceof Incomplete) return { chunks, status: "incomplete" };
    if (typeof reason === "string") return { chunks, status: reason };
    throw reason;
  }
}

function decrypt(cipher: { key: Uint8Array; iv: Uint8Array }, body: Uint8Array): Uint8Array {
  if (body.length % 16 !== 0) throw "DECRYPT_FAILED";
  try {
    const decipher = createDecipheriv("aes-128-cbc", cipher.key, cipher.iv);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch {
    throw "DECRYPT_FAILED";
  }
}
