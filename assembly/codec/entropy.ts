// Headers of the entropy channel, which carries a snapshot from one node to another. All integers u32, big-endian.
//
//   negotiation       magic 0x64640001   command = 1 (send)   header size   buffer size   cipher size      20 bytes
//   snapshot header   total length   encrypted (0 or 1)   zeros                                            header size bytes
//   chunk             length   bytes                                                 until total length bytes have come
//
// Buffer size is the most plain bytes of a chunk, cipher size the most bytes behind its length. The bytes of an encrypted chunk are
// AES-128-CBC with PKCS#7 padding, each chunk by itself under the same key and iv.

export const ENTROPY_OK: i32 = 0;
export const ENTROPY_BAD_MAGIC: i32 = 1;
export const ENTROPY_BAD_COMMAND: i32 = 2;
export const ENTROPY_BAD_HEADER_SIZE: i32 = 3;
export const ENTROPY_BAD_BUFFER_SIZE: i32 = 4;
export const ENTROPY_BAD_CIPHER_SIZE: i32 = 5;
export const ENTROPY_TOO_LARGE: i32 = 6;
export const ENTROPY_BAD_FLAG: i32 = 7;
export const ENTROPY_EMPTY_CHUNK: i32 = 8;
export const ENTROPY_CHUNK_TOO_LONG: i32 = 9;

const MAGIC: u32 = 0x64640001;
const COMMAND_SEND: u32 = 1;
const MIN_HEADER_BYTES: u32 = 8;
const MAX_HEADER_BYTES: u32 = 1024;
const MAX_BUFFER_BYTES: u32 = 5 * 1024 * 1024;
const MAX_CIPHER_BYTES: u32 = 5 * 1024 * 1024;
const MAX_SNAPSHOT_BYTES: u32 = 0xfffffffe;

/** Checks the 20 bytes of a negotiation in place: its five fields are little-endian afterwards. */
export function entropyNegotiation(pointer: u32): i32 {
  for (let at: u32 = 0; at < 20; at += 4) toHost(pointer + at);
  if (load<u32>(pointer) != MAGIC) return ENTROPY_BAD_MAGIC;
  if (load<u32>(pointer, 4) != COMMAND_SEND) return ENTROPY_BAD_COMMAND;
  const headerBytes = load<u32>(pointer, 8);
  if (headerBytes < MIN_HEADER_BYTES || headerBytes > MAX_HEADER_BYTES) return ENTROPY_BAD_HEADER_SIZE;
  if (load<u32>(pointer, 12) - 1 >= MAX_BUFFER_BYTES) return ENTROPY_BAD_BUFFER_SIZE;
  if (load<u32>(pointer, 16) - 1 >= MAX_CIPHER_BYTES) return ENTROPY_BAD_CIPHER_SIZE;
  return ENTROPY_OK;
}

/** Checks the first 8 bytes of a snapshot header in place. The zeros behind them are not looked at. */
export function entropySnapshotHeader(pointer: u32): i32 {
  toHost(pointer);
  toHost(pointer + 4);
  if (load<u32>(pointer, 4) > 1) return ENTROPY_BAD_FLAG;
  if (load<u32>(pointer) > MAX_SNAPSHOT_BYTES) return ENTROPY_TOO_LARGE;
  return ENTROPY_OK;
}

/** Checks the 4 bytes of a chunk's length in place against the negotiated cipher size. */
export function entropyChunkLength(pointer: u32, cipherBytes: u32): i32 {
  toHost(pointer);
  const length = load<u32>(pointer);
  if (length == 0) return ENTROPY_EMPTY_CHUNK;
  return length > cipherBytes ? ENTROPY_CHUNK_TOO_LONG : ENTROPY_OK;
}

// @ts-ignore: decorator
@inline
function toHost(pointer: u32): void {
  store<u32>(pointer, bswap<u32>(load<u32>(pointer)));
}
