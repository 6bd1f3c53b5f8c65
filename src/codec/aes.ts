/** AES-128-CBC with PKCS#7 padding (typed face of assembly/codec/aes/cbc.ts), or the runtime's own where that is faster. */
import { CodecError } from "./codec-error.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { eachSlice, SLICE_BYTES } from "./slices.ts";

const BLOCK_BYTES = 16;

/** Synchronous AES-128-CBC with PKCS#7 padding that a runtime lends, for example over node:crypto. */
export interface AesProvider {
  /** Shortest input, in bytes, for which it is faster than the kernel's. */
  readonly fromBytes: number;
  encrypt(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** Throws, whatever it likes, when the cipher text is wrong. */
  decrypt(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array;
}

export interface AesFace {
  /**
   * AES-128-CBC (NIST SP 800-38A) with PKCS#7 padding: 1 to 16 bytes more than `bytes`. `key` and `iv` are 16 bytes each.
   *
   * The kernel's own cipher has no branch and no memory index that depends on key or data. The mode does not authenticate: whoever
   * can change the cipher text can change the plain text.
   *
   * Throws CodecError `AES_BAD_KEY` or `AES_BAD_IV` for a wrong length.
   */
  aesEncrypt(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array;
  /**
   * The reverse. Throws CodecError `AES_BAD_KEY`, `AES_BAD_IV`, or `DECRYPT_FAILED` for anything wrong with the cipher text:
   * a length that is no positive multiple of 16, another key, changed bytes. The error never says which.
   */
  aesDecrypt(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array;
}

export interface AesExports extends CodecMemoryExports {
  aesCbcEncrypt(key: number, iv: number, pointer: number, length: number): number;
  aesCbcEncryptBlocks(key: number, iv: number, pointer: number, length: number): void;
  aesCbcDecrypt(key: number, iv: number, pointer: number, length: number): number;
  aesCbcDecryptBlocks(key: number, iv: number, pointer: number, length: number): void;
}

export function aesFace(instance: CodecInstance<AesExports>, native?: AesProvider): AesFace {
  const { exports } = instance;

  /** Puts key and iv at the beginning of the scratch memory and returns the address; the data goes 32 bytes behind it. */
  function prepare(key: Uint8Array, iv: Uint8Array, length: number): number {
    const pointer = instance.reserve(3 * BLOCK_BYTES + Math.min(length, SLICE_BYTES));
    instance.bytes.set(key, pointer);
    instance.bytes.set(iv, pointer + BLOCK_BYTES);
    return pointer;
  }

  return {
    aesEncrypt(key, iv, bytes) {
      checkKey(key, iv);
      if (native !== undefined && bytes.length >= native.fromBytes) {
        return native.encrypt(key, iv, bytes);
      }
      const pointer = prepare(key, iv, bytes.length);
      const ivAt = pointer + BLOCK_BYTES;
      const dataAt = ivAt + BLOCK_BYTES;
      const { bytes: memory } = instance;
      if (bytes.length <= SLICE_BYTES) {
        memory.set(bytes, dataAt);
        const length = exports.aesCbcEncrypt(pointer, ivAt, dataAt, bytes.length);
        return memory.slice(dataAt, dataAt + length);
      }
      const sealed = new Uint8Array(bytes.length - (bytes.length % BLOCK_BYTES) + BLOCK_BYTES);
      eachSlice(bytes, (slice, offset, last) => {
        memory.set(slice, dataAt);
        let length = slice.length;
        if (last) length = exports.aesCbcEncrypt(pointer, ivAt, dataAt, length);
        else exports.aesCbcEncryptBlocks(pointer, ivAt, dataAt, length);
        sealed.set(memory.subarray(dataAt, dataAt + length), offset);
      });
      return sealed;
    },
    aesDecrypt(key, iv, bytes) {
      checkKey(key, iv);
      if (bytes.length === 0 || bytes.length % BLOCK_BYTES !== 0) throw decryptFailed();
      if (native !== undefined && bytes.length >= native.fromBytes) {
        try {
          return native.decrypt(key, iv, bytes);
        } catch {
          throw decryptFailed();
        }
      }
      const pointer = prepare(key, iv, bytes.length);
      const ivAt = pointer + BLOCK_BYTES;
      const dataAt = ivAt + BLOCK_BYTES;
      const { bytes: memory } = instance;
      if (bytes.length <= SLICE_BYTES) {
        memory.set(bytes, dataAt);
        const length = exports.aesCbcDecrypt(pointer, ivAt, dataAt, bytes.length);
        if (length < 0) throw decryptFailed();
        return memory.slice(dataAt, dataAt + length);
      }
      const opened = new Uint8Array(bytes.length);
      let end = 0;
      eachSlice(bytes, (slice, offset, last) => {
        memory.set(slice, dataAt);
        let length = slice.length;
        if (last) length = exports.aesCbcDecrypt(pointer, ivAt, dataAt, length);
        else exports.aesCbcDecryptBlocks(pointer, ivAt, dataAt, length);
        if (length < 0) throw decryptFailed();
        opened.set(memory.subarray(dataAt, dataAt + length), offset);
        end = offset + length;
      });
      return opened.subarray(0, end);
    },
  };
}

/** The one error for everything that can be wrong with a cipher text: no detail, and no cause, that would tell an attacker more. */
export function decryptFailed(): CodecError {
  return new CodecError(
    "DECRYPT_FAILED",
    "decryption failed, nothing of the data was used: the key differs from the sender's, or the bytes were changed on the way",
  );
}

function checkKey(key: Uint8Array, iv: Uint8Array): void {
  if (key.length !== BLOCK_BYTES) {
    throw new CodecError("AES_BAD_KEY", `an AES-128 key has 16 bytes, this one has ${key.length}`);
  }
  if (iv.length !== BLOCK_BYTES) {
    throw new CodecError("AES_BAD_IV", `an AES-CBC iv has 16 bytes, this one has ${iv.length}`);
  }
}
