/** The entropy channel's sizes, what its headers say, and the errors of what breaks its rules. */
import { CodecError } from "./codec-error.ts";

/** Bytes of the negotiation, the first thing on the channel. */
export const NEGOTIATION_BYTES = 20;
/** Bytes of a snapshot header that mean something. */
export const SNAPSHOT_HEADER_BYTES = 8;
/** Bytes of a chunk's length. */
export const CHUNK_LENGTH_BYTES = 4;
/** Snapshot header, in bytes, zeros included, unless said otherwise. */
export const DEFAULT_HEADER_BYTES = 1024;
/** Plain bytes of a chunk, unless said otherwise. */
export const DEFAULT_BUFFER_BYTES = 16 * 1024;
/** Most bytes of a chunk, plain or encrypted. */
export const MAX_CHUNK_BYTES = 5 * 1024 * 1024;
/** Most plain bytes of a snapshot. */
export const MAX_SNAPSHOT_BYTES = 0xfffffffe;

/** First word of a negotiation. */
export const ENTROPY_MAGIC = 0x64640001;
/** Second word of a negotiation: the opener of the channel sends. */
export const ENTROPY_SEND = 1;

/** Key and iv that both ends of an entropy channel hold: 16 bytes each. Every chunk is encrypted with the same two. */
export interface EntropyCipher {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** What the sender states first. All sizes in bytes. */
export interface EntropyNegotiation {
  /** Length of the snapshot header, zeros included: 8 to 1,024. */
  readonly headerBytes: number;
  /** Most plain bytes of a chunk: 1 to 5 MiB. */
  readonly bufferBytes: number;
  /** Most bytes of a chunk behind its length: 1 to 5 MiB. */
  readonly cipherBytes: number;
}

export interface SnapshotHeader {
  /** Plain bytes of the whole snapshot: 0 to 2^32 - 2. */
  readonly totalBytes: number;
  readonly encrypted: boolean;
}

/** The sizes of a negotiation: what they may be, in bytes, and the code of what is not. */
const SIZES = {
  headerBytes: {
    code: "ENTROPY_BAD_HEADER_SIZE",
    least: SNAPSHOT_HEADER_BYTES,
    most: DEFAULT_HEADER_BYTES,
  },
  bufferBytes: { code: "ENTROPY_BAD_BUFFER_SIZE", least: 1, most: MAX_CHUNK_BYTES },
  cipherBytes: { code: "ENTROPY_BAD_CIPHER_SIZE", least: 1, most: MAX_CHUNK_BYTES },
} as const;

const NOT_WHOLE = "the snapshot is not whole, have it sent again";
const NOT_WRITTEN = "nothing was written";

/** Throws when a size is none that may be written. */
export function checkSize(name: keyof typeof SIZES, value: number): void {
  const { least, most } = SIZES[name];
  if (!Number.isInteger(value) || value < least || value > most) {
    throw badSize(name, value, NOT_WRITTEN);
  }
}

/** Throws when a snapshot of so many bytes may not be written. */
export function checkTotal(totalBytes: number): void {
  if (!Number.isInteger(totalBytes) || totalBytes < 0 || totalBytes > MAX_SNAPSHOT_BYTES) {
    throw tooLarge(totalBytes, MAX_SNAPSHOT_BYTES, NOT_WRITTEN);
  }
}

/** Throws when a chunk of so many bytes may not be written. */
export function checkChunk(length: number): void {
  if (length === 0) throw emptyChunk(NOT_WRITTEN);
  if (length > MAX_CHUNK_BYTES) {
    throw chunkTooLong(length, `the limit of ${MAX_CHUNK_BYTES}`, NOT_WRITTEN);
  }
}

/** Why a header is refused, by the status of the kernel's check and the fields as read. */
export function refusal(status: number, values: readonly number[]): CodecError {
  switch (status) {
    case 1:
      return refused(
        "ENTROPY_BAD_MAGIC",
        `it begins with 0x${values[0]!.toString(16)} and not with 0x${ENTROPY_MAGIC.toString(16)}`,
      );
    case 2:
      return refused("ENTROPY_BAD_COMMAND", `its command ${values[1]} is not 1, send`);
    case 3:
      return badSize("headerBytes", values[2]!);
    case 4:
      return badSize("bufferBytes", values[3]!);
    case 5:
      return badSize("cipherBytes", values[4]!);
    case 6:
      return tooLarge(values[0]!, MAX_SNAPSHOT_BYTES);
    case 7:
      return refused("ENTROPY_BAD_FLAG", `its encryption flag is ${values[1]}, neither 0 nor 1`);
    case 8:
      return emptyChunk();
    default:
      return chunkTooLong(values[0]!, "the negotiated cipher size");
  }
}

export function refused(code: string, reason: string, outcome = NOT_WHOLE): CodecError {
  return new CodecError(code, `entropy channel: ${reason}; ${outcome}`);
}

export function truncated(have: number, needed: number): CodecError {
  return refused("ENTROPY_TRUNCATED", `it ends ${needed - have} bytes too early`);
}

export function tooLarge(found: number, limit: number, outcome?: string): CodecError {
  const reason = `a snapshot of ${found} bytes is not within the limit of ${limit}`;
  return refused("ENTROPY_TOO_LARGE", reason, outcome);
}

export function emptyChunk(outcome?: string): CodecError {
  return refused("ENTROPY_EMPTY_CHUNK", "a chunk holds no bytes", outcome);
}

function chunkTooLong(found: number, limit: string, outcome?: string): CodecError {
  return refused("ENTROPY_CHUNK_TOO_LONG", `a chunk of ${found} bytes is above ${limit}`, outcome);
}

function badSize(name: keyof typeof SIZES, value: number, outcome?: string): CodecError {
  const { code, least, most } = SIZES[name];
  return refused(code, `${name} is ${value}, and must lie between ${least} and ${most}`, outcome);
}
