/**
 * Encrypted payloads of dnode frames, as the C engine forms them.
 *
 *     payload = chunk …         chunk = AES-128-CBC with PKCS#7 padding of one memory buffer of the sender
 *
 * Key and iv of every chunk are the same 16 bytes, the first half of the session key. Nothing marks where a chunk ends. A full buffer
 * holds `mbuf_size` - 64 plain bytes, and all chunks but the last are full, unless a buffer was left part full for another reason.
 */

import { type AesExports, type AesFace, decryptFailed } from "./aes.ts";
import { searchChunks } from "./chunk-search.ts";
import { CodecError } from "./codec-error.ts";
import { joined } from "./concat.ts";
import type { CodecInstance } from "./instance.ts";
import { eachSlice, SLICE_BYTES } from "./slices.ts";

/** Range of the C engine's `mbuf_size`, which is a multiple of 16. */
export const MIN_MBUF_BYTES = 512;
export const MAX_MBUF_BYTES = 512_000;
/** The C engine's `mbuf_size` unless configured. */
export const DEFAULT_MBUF_BYTES = 16_384;

/** Bytes of a memory buffer that the C engine keeps for itself. */
const MBUF_OVERHEAD_BYTES = 64;
const BLOCK_BYTES = 16;
const SESSION_KEY_BYTES = 32;

export interface DnodeCipherFace {
  /**
   * Encrypts a payload in chunks of `mbufBytes` - 64 plain bytes (16,320 by default); a payload of no bytes becomes one chunk.
   *
   * `sessionKey` is the 32-byte key of the connection, or its first 16 bytes. All nodes of a ring with C nodes need the same
   * `mbufBytes`. Throws CodecError `AES_BAD_KEY` or `DNODE_BAD_MBUF_SIZE` (not a multiple of 16 between 512 and 512,000).
   */
  sealDnodePayload(sessionKey: Uint8Array, bytes: Uint8Array, mbufBytes?: number): Uint8Array;
  /**
   * Decrypts a payload. Chunk ends have to be found by their padding: full chunks are tried first, then all that is left as one
   * chunk, then chunks of every other length, a chunk of padding only included.
   *
   * Padding appears by chance in one of 256 blocks, so `isWhole` should say whether a candidate is one complete message (for Redis
   * payloads: exactly one command, or one reply). A regular cut that it accepts is returned at once; an irregular one only if no other
   * that it accepts is nearly as likely. Without `isWhole` the first candidate is returned.
   *
   * Throws CodecError `AES_BAD_KEY`, `DNODE_BAD_MBUF_SIZE`, or `DECRYPT_FAILED`, the one error for everything else.
   */
  openDnodePayload(
    sessionKey: Uint8Array,
    bytes: Uint8Array,
    mbufBytes?: number,
    isWhole?: (plain: Uint8Array) => boolean,
  ): Uint8Array;
}

export function dnodeCipherFace(
  instance: CodecInstance<AesExports>,
  aes: AesFace,
): DnodeCipherFace {
  return {
    sealDnodePayload(sessionKey, bytes, mbufBytes = DEFAULT_MBUF_BYTES) {
      const key = cipherKey(sessionKey);
      const chunkBytes = plainChunkBytes(mbufBytes);
      const chunks: Uint8Array[] = [];
      let at = 0;
      do {
        chunks.push(aes.aesEncrypt(key, key, bytes.subarray(at, at + chunkBytes)));
        at += chunkBytes;
      } while (at < bytes.length);
      return joined(chunks);
    },
    openDnodePayload(sessionKey, bytes, mbufBytes = DEFAULT_MBUF_BYTES, isWhole) {
      const key = cipherKey(sessionKey);
      const chunkBytes = plainChunkBytes(mbufBytes) + BLOCK_BYTES;
      if (bytes.length === 0 || bytes.length % BLOCK_BYTES !== 0) throw decryptFailed();
      const regular = openRegular(aes, key, bytes, chunkBytes);
      if (regular !== undefined && (isWhole === undefined || isWhole(regular))) return regular;
      const through = decryptThrough(instance, key, bytes);
      const found = searchChunks({ cipher: bytes, through, iv: key, chunkBytes, isWhole });
      if (found === undefined) throw decryptFailed();
      return found;
    },
  };
}

/** The payload as it is without any irregularity: full chunks, then the remainder. Undefined when a padding is wrong. */
function openRegular(
  aes: AesFace,
  key: Uint8Array,
  bytes: Uint8Array,
  chunkBytes: number,
): Uint8Array | undefined {
  const chunks: Uint8Array[] = [];
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      chunks.push(aes.aesDecrypt(key, key, bytes.subarray(at, at + chunkBytes)));
    }
  } catch (error) {
    if (error instanceof CodecError && error.code === "DECRYPT_FAILED") return undefined;
    throw error;
  }
  return joined(chunks);
}

/** All blocks decrypted as if they were one chunk, padding and all. */
function decryptThrough(
  instance: CodecInstance<AesExports>,
  key: Uint8Array,
  bytes: Uint8Array,
): Uint8Array {
  const pointer = instance.reserve(2 * BLOCK_BYTES + Math.min(bytes.length, SLICE_BYTES));
  const [iv, data] = [pointer + BLOCK_BYTES, pointer + 2 * BLOCK_BYTES];
  const { bytes: memory } = instance;
  memory.set(key, pointer);
  memory.set(key, iv);
  const through = new Uint8Array(bytes.length);
  eachSlice(bytes, (slice, offset) => {
    memory.set(slice, data);
    instance.exports.aesCbcDecryptBlocks(pointer, iv, data, slice.length);
    through.set(memory.subarray(data, data + slice.length), offset);
  });
  return through;
}

function cipherKey(sessionKey: Uint8Array): Uint8Array {
  if (sessionKey.length === BLOCK_BYTES) return sessionKey;
  if (sessionKey.length === SESSION_KEY_BYTES) return sessionKey.subarray(0, BLOCK_BYTES);
  throw new CodecError(
    "AES_BAD_KEY",
    `a dnode session key has 32 bytes, of which 16 are used; this one has ${sessionKey.length}`,
  );
}

/** Plain bytes of a full chunk. */
function plainChunkBytes(mbufBytes: number): number {
  if (mbufBytes % BLOCK_BYTES !== 0 || mbufBytes < MIN_MBUF_BYTES || mbufBytes > MAX_MBUF_BYTES) {
    throw new CodecError(
      "DNODE_BAD_MBUF_SIZE",
      `mbuf_size ${mbufBytes} is not a multiple of 16 between ${MIN_MBUF_BYTES} and ${MAX_MBUF_BYTES}: set it to the other nodes' value`,
    );
  }
  return mbufBytes - MBUF_OVERHEAD_BYTES;
}
