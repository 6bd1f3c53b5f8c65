/** The entropy channel: headers and chunks of a snapshot (typed face of assembly/codec/entropy.ts, which draws the layout). */
import type { AesFace } from "./aes.ts";
import {
  CHUNK_LENGTH_BYTES,
  checkChunk,
  checkSize,
  checkTotal,
  DEFAULT_BUFFER_BYTES,
  DEFAULT_HEADER_BYTES,
  ENTROPY_MAGIC,
  ENTROPY_SEND,
  type EntropyCipher,
  type EntropyNegotiation,
  MAX_CHUNK_BYTES,
  NEGOTIATION_BYTES,
  refusal,
  SNAPSHOT_HEADER_BYTES,
  type SnapshotHeader,
  truncated,
} from "./entropy-format.ts";
import {
  type EntropyReader,
  SnapshotOpener,
  type SnapshotOpenerOptions,
} from "./entropy-stream.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";

export interface OpenChunkOptions {
  /** Opens encrypted chunks; without it the chunk is taken as plain. */
  readonly cipher?: EntropyCipher;
  /** The negotiated cipher size; 5 MiB by default. */
  readonly cipherBytes?: number;
  /** Where the chunk begins; 0 by default. */
  readonly offset?: number;
}

export interface EntropyFace {
  /**
   * The 20 bytes that open a channel. By default a header of 1,024 bytes, chunks of 16,384 plain bytes, and a cipher size of 16 more
   * than that. Throws CodecError `ENTROPY_BAD_HEADER_SIZE`, `ENTROPY_BAD_BUFFER_SIZE` or `ENTROPY_BAD_CIPHER_SIZE`.
   */
  encodeNegotiation(sizes?: Partial<EntropyNegotiation>): Uint8Array;
  /**
   * Reads the first 20 bytes. Throws CodecError `ENTROPY_TRUNCATED` (fewer bytes), `ENTROPY_BAD_MAGIC`, `ENTROPY_BAD_COMMAND`,
   * `ENTROPY_BAD_HEADER_SIZE`, `ENTROPY_BAD_BUFFER_SIZE` or `ENTROPY_BAD_CIPHER_SIZE`.
   */
  decodeNegotiation(bytes: Uint8Array): EntropyNegotiation;
  /**
   * A snapshot header of `headerBytes` (1,024 by default), filled up with zeros.
   * Throws CodecError `ENTROPY_BAD_HEADER_SIZE` or `ENTROPY_TOO_LARGE`.
   */
  encodeSnapshotHeader(header: SnapshotHeader, headerBytes?: number): Uint8Array;
  /** Reads the first 8 bytes. Throws CodecError `ENTROPY_TRUNCATED`, `ENTROPY_BAD_FLAG` or `ENTROPY_TOO_LARGE`. */
  decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader;
  /**
   * One chunk with its length in front, encrypted when a cipher is given.
   * Throws CodecError `ENTROPY_EMPTY_CHUNK`, `ENTROPY_CHUNK_TOO_LONG` (above 5 MiB, padding included), `AES_BAD_KEY` or `AES_BAD_IV`.
   */
  sealChunk(bytes: Uint8Array, cipher?: EntropyCipher): Uint8Array;
  /**
   * Opens the chunk at `offset`: its plain bytes (a copy), and `end`, the offset behind it.
   *
   * Throws CodecError `ENTROPY_TRUNCATED` (the chunk is not whole), `ENTROPY_EMPTY_CHUNK`, `ENTROPY_CHUNK_TOO_LONG` (its length is
   * above `cipherBytes`), `DECRYPT_FAILED`, `AES_BAD_KEY` or `AES_BAD_IV`.
   */
  openChunk(bytes: Uint8Array, options?: OpenChunkOptions): { plain: Uint8Array; end: number };
  /** Opens a whole channel that arrives cut anywhere: see `SnapshotOpener`. */
  openSnapshot(options?: SnapshotOpenerOptions): SnapshotOpener;
}

export interface EntropyExports extends CodecMemoryExports {
  entropyNegotiation(pointer: number): number;
  entropySnapshotHeader(pointer: number): number;
  entropyChunkLength(pointer: number, cipherBytes: number): number;
}

export function entropyFace(instance: CodecInstance<EntropyExports>, aes: AesFace): EntropyFace {
  const { exports } = instance;

  /** Has the kernel check the first `length` bytes and returns their 32-bit fields. */
  function fields(bytes: Uint8Array, length: number, check: (pointer: number) => number): number[] {
    if (bytes.length < length) throw truncated(bytes.length, length);
    const pointer = instance.place(bytes.subarray(0, length));
    const status = check(pointer);
    const { data } = instance;
    const values: number[] = [];
    for (let at = 0; at < length; at += 4) values.push(data.getUint32(pointer + at, true));
    if (status !== 0) throw refusal(status, values);
    return values;
  }

  const reader: EntropyReader = {
    decodeNegotiation(bytes) {
      const values = fields(bytes, NEGOTIATION_BYTES, exports.entropyNegotiation);
      return { headerBytes: values[2]!, bufferBytes: values[3]!, cipherBytes: values[4]! };
    },
    decodeSnapshotHeader(bytes) {
      const values = fields(bytes, SNAPSHOT_HEADER_BYTES, exports.entropySnapshotHeader);
      return { totalBytes: values[0]!, encrypted: values[1] === 1 };
    },
    chunkLength(bytes, cipherBytes) {
      const check = (pointer: number) => exports.entropyChunkLength(pointer, cipherBytes);
      return fields(bytes, CHUNK_LENGTH_BYTES, check)[0]!;
    },
    openBody: (body, cipher) =>
      cipher === undefined ? body.slice() : aes.aesDecrypt(cipher.key, cipher.iv, body),
  };

  return {
    encodeNegotiation(sizes = {}) {
      const headerBytes = sizes.headerBytes ?? DEFAULT_HEADER_BYTES;
      const bufferBytes = sizes.bufferBytes ?? DEFAULT_BUFFER_BYTES;
      const cipherBytes = sizes.cipherBytes ?? bufferBytes + 16;
      checkSize("headerBytes", headerBytes);
      checkSize("bufferBytes", bufferBytes);
      checkSize("cipherBytes", cipherBytes);
      return words([ENTROPY_MAGIC, ENTROPY_SEND, headerBytes, bufferBytes, cipherBytes]);
    },
    decodeNegotiation: reader.decodeNegotiation,
    encodeSnapshotHeader({ totalBytes, encrypted }, headerBytes = DEFAULT_HEADER_BYTES) {
      checkSize("headerBytes", headerBytes);
      checkTotal(totalBytes);
      const bytes = new Uint8Array(headerBytes);
      bytes.set(words([totalBytes, encrypted ? 1 : 0]));
      return bytes;
    },
    decodeSnapshotHeader: reader.decodeSnapshotHeader,
    sealChunk(bytes, cipher) {
      checkChunk(bytes.length);
      const body = cipher === undefined ? bytes : aes.aesEncrypt(cipher.key, cipher.iv, bytes);
      checkChunk(body.length);
      const chunk = new Uint8Array(CHUNK_LENGTH_BYTES + body.length);
      chunk.set(words([body.length]));
      chunk.set(body, CHUNK_LENGTH_BYTES);
      return chunk;
    },
    openChunk(bytes, { cipher, cipherBytes = MAX_CHUNK_BYTES, offset = 0 } = {}) {
      const length = reader.chunkLength(bytes.subarray(offset), cipherBytes);
      const start = offset + CHUNK_LENGTH_BYTES;
      const end = start + length;
      if (bytes.length < end) throw truncated(bytes.length - start, length);
      return { plain: reader.openBody(bytes.subarray(start, end), cipher), end };
    },
    openSnapshot: (options = {}) => new SnapshotOpener(reader, options),
  };
}

/** Unsigned 32-bit words, big-endian. */
function words(values: readonly number[]): Uint8Array {
  const data = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) data.setUint32(4 * i, value);
  return new Uint8Array(data.buffer);
}
