/** What `ringlet/codec` exports beside `loadCodec`: the loaders of all runtimes pass it on. */

export { RingletError } from "../base/errors.ts";
export type { AesProvider } from "./aes.ts";
export type { CapabilityEntry } from "./capabilities.ts";
export { type Codec, type CodecOptions, createCodec } from "./codec.ts";
export { CodecError } from "./codec-error.ts";
export {
  DNODE_ENCRYPTED,
  DNODE_TYPE,
  type DnodeFrame,
  type DnodeFrameRead,
  type DnodeFrames,
  type DnodeOptions,
  type DnodeResult,
} from "./dnode.ts";
export type { OpenChunkOptions } from "./entropy.ts";
export type { EntropyCipher, EntropyNegotiation, SnapshotHeader } from "./entropy-format.ts";
export type { SnapshotOpener, SnapshotOpenerOptions } from "./entropy-stream.ts";
export type { HashName } from "./hash.ts";
export type {
  MemcachedLimits,
  MemcachedReplies,
  MemcachedReplyResult,
  MemcachedRequests,
} from "./memcached.ts";
export type {
  MemcachedInvalid,
  MemcachedReply,
  MemcachedRequest,
  MemcachedStatus,
  MemcachedValue,
} from "./memcached-message.ts";
export type { RespReplies, RespReply } from "./resp-reply.ts";
export type { RespRequests } from "./resp-request.ts";
export type { RespEntry, RespValue } from "./resp-value.ts";
export type { Token } from "./token.ts";
