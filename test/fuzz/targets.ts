/** Every parser that is fuzzed. */
import type { FuzzTarget } from "./target.ts";
import { capabilitiesTarget } from "./targets/capabilities.ts";
import { dnodeTarget } from "./targets/dnode.ts";
import { entropyTarget } from "./targets/entropy.ts";
import { kernelFeedTarget } from "./targets/kernel-feed.ts";
import { memcachedReplyTarget, memcachedRequestTarget } from "./targets/memcached.ts";
import {
  memcachedRelayReplyTarget,
  memcachedRelayRequestTarget,
} from "./targets/memcached-relay.ts";
import { peerFramesTarget } from "./targets/peer-frames.ts";
import { relayReplyTarget, relayRequestTarget } from "./targets/resp-relay.ts";
import { respReplyTarget } from "./targets/resp-reply.ts";
import { respRequestTarget } from "./targets/resp-request.ts";

export function fuzzTargets(): FuzzTarget[] {
  return [
    respRequestTarget(),
    kernelFeedTarget(),
    respReplyTarget(),
    relayRequestTarget(),
    relayReplyTarget(),
    memcachedRequestTarget(),
    memcachedReplyTarget(),
    memcachedRelayRequestTarget(),
    memcachedRelayReplyTarget(),
    dnodeTarget("redis"),
    dnodeTarget("memcached"),
    capabilitiesTarget(),
    entropyTarget(),
    peerFramesTarget(),
  ];
}
