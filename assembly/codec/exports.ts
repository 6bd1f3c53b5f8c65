// What codec.wasm exports: one line per file.

export { parseRequest, requestLeft, requestPos, requestResume, requestWanted, respIndex, setMaxBulkBytes } from "./resp-request";
export { crc32, crc32Lowercase } from "./crc32";
export { hashToken, hashTokens, hashWord } from "./token";
export { capabilitiesCheck } from "./capabilities";
export { aesCbcDecrypt, aesCbcDecryptBlocks, aesCbcEncrypt, aesCbcEncryptBlocks } from "./aes/cbc";
export { replyIndex, replyPos, replyWanted, scanReply } from "./resp-reply";
export {
  commandRest,
  commandRun,
  relayName,
  relayNumber,
  relayResult,
  relayState,
  relayStateBytes,
  replyRun,
} from "./resp-relay";
export { memcachedIndex } from "./memcached-request";
export { memcachedRelayResult, memcachedReplyRun, memcachedReplyState, memcachedRun } from "./memcached-relay";
export { memcachedReply, memcachedReplyGroup, memcachedReplyIndex, memcachedReplyPos, memcachedReplyWanted } from "./memcached-reply";
export { dnodeStart, dnodeWanted, parseDnode, writeDnodeHeader } from "./dnode";
export { entropyChunkLength, entropyNegotiation, entropySnapshotHeader } from "./entropy";
