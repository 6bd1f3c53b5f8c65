/**
 * `codec.wasm` with a typed face: one flat object, put together from one face per topic.
 *
 * The codec is pure. It keeps no state between calls, so one instance serves everything in a thread.
 */
import { instantiateSync } from "@assemblyscript/loader";
import { type AesExports, type AesFace, type AesProvider, aesFace } from "./aes.ts";
import {
  type CapabilitiesExports,
  type CapabilitiesFace,
  capabilitiesFace,
} from "./capabilities.ts";
import { type Crc32Exports, type Crc32Face, crc32Face } from "./crc32.ts";
import { type DnodeExports, type DnodeFace, dnodeFace } from "./dnode.ts";
import { type DnodeCipherFace, dnodeCipherFace } from "./dnode-cipher.ts";
import { type EntropyExports, type EntropyFace, entropyFace } from "./entropy.ts";
import { type HashExports, type HashFace, hashFace } from "./hash.ts";
import { CodecInstance } from "./instance.ts";
import { type MemcachedExports, type MemcachedFace, memcachedFace } from "./memcached.ts";
import {
  type MemcachedRelayExports,
  type MemcachedRelayFace,
  memcachedRelayFace,
} from "./memcached-relay.ts";
import { type RespRelayExports, type RespRelayFace, respRelayFace } from "./resp-relay.ts";
import { type RespReplyExports, type RespReplyFace, respReplyFace } from "./resp-reply.ts";
import { type RespRequestExports, type RespRequestFace, respRequestFace } from "./resp-request.ts";

/** What `loadCodec()` returns; each part is described where it is declared. */
export interface Codec
  extends HashFace,
    Crc32Face,
    AesFace,
    CapabilitiesFace,
    EntropyFace,
    RespRequestFace,
    RespReplyFace,
    RespRelayFace,
    MemcachedFace,
    MemcachedRelayFace,
    DnodeFace,
    DnodeCipherFace {}

interface CodecExports
  extends HashExports,
    Crc32Exports,
    AesExports,
    CapabilitiesExports,
    EntropyExports,
    RespRequestExports,
    RespReplyExports,
    RespRelayExports,
    MemcachedExports,
    MemcachedRelayExports,
    DnodeExports {}

/** What a runtime may lend to the codec. */
export interface CodecOptions {
  /** Its own AES, for long input. */
  readonly aes?: AesProvider;
}

/**
 * Makes a codec of `codec.wasm`, given as a compiled module or as its bytes, synchronously.
 *
 * workerd compiles no bytes at run time: give it a module there. Throws WebAssembly.CompileError for bytes that are no module.
 */
export function createCodec(
  source: WebAssembly.Module | BufferSource,
  options: CodecOptions = {},
): Codec {
  // The exports as they are: the loader's own wrapping adds a call to each of them.
  const exports = instantiateSync(source).instance.exports as unknown as CodecExports;
  const instance = new CodecInstance<CodecExports>(exports);
  const aes = aesFace(instance, options.aes);
  return {
    ...hashFace(instance),
    ...crc32Face(instance),
    ...aes,
    ...capabilitiesFace(instance),
    ...entropyFace(instance, aes),
    ...dnodeCipherFace(instance, aes),
    ...respRequestFace(instance),
    ...respReplyFace(instance),
    ...respRelayFace(instance),
    ...memcachedFace(instance),
    ...memcachedRelayFace(instance),
    ...dnodeFace(instance),
  };
}
