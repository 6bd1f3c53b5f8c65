// Commands on keys that this node is no replica of, or must not read here: frames to the replicas, and a reply made from their
// answers. Reads of one key, and writes whose outcome does not depend on what is there.

import { mintStamp, nodeIndex } from "../clock";
import { argument, argumentLength, database, DONE } from "../commands/command";
import { GET, PSETEX, PTTL, SET, SETEX, TTL } from "../commands/dispatch";
import { expiryRead, readBlindExpiry } from "../commands/set";
import { outNext, replyInteger, replyNull, replyOk } from "../reply";
import { client, gate, leave, PEERS, place, refuse, refuseMore } from "./client";
import { oneIsAsked } from "./deadlines";
import { MAX_RECORD_BYTES, NO_ROOM, readableLinks, sendReadOf, sendWrite, writableLinks } from "./fan-out";
import { FRAME_TOMBSTONE, WRITE_SEEN_BYTES } from "./frames";
import { LEVEL_ONE, LEVEL_SAFE } from "./levels";
import { linkExpect, linkIsReadable, linkTakesAwaited, NO_SLOT } from "./links";
import { frameRead, outboxRoom, writeBytes } from "./outbox";
import { requestOf } from "./requests";
import { setLocal, setLocals, setPreferred, setReplicas } from "./route";
import { SLOT_CAREFUL, SLOT_WRITE, slotAttach, slotOf, slotSetHash } from "./slot";
import { slotExpects, slotOpenFor, slotsHaveRoom } from "./slots";

/** What a DEL sees that is not executed where the key is: nothing, u64 stamp and u16 node. */
const nothing: usize = memory.data(16, 8);

/** A read of one key: from the nearest replica that is there, or the newest of a quorum. */
export function readElsewhere(command: u32, argv: u32, argc: u32, set: u32, reply: u32, level: u32): i32 {
  const key = argument(argv, 1);
  const keyLength = argumentLength(argv, 1);
  const replicas = setReplicas(set);
  if (replicas == 0 || level == LEVEL_SAFE || keyLength > MAX_RECORD_BYTES) return leave();
  const bytes = writeBytes(keyLength, 0);
  const one = level == LEVEL_ONE ? nearest(set) : NO_SLOT;
  const need: u32 = level == LEVEL_ONE ? 1 : (replicas >> 1) + 1;
  if (level != LEVEL_ONE) {
    const up = readableLinks(set, bytes);
    if (up == NO_ROOM) return PEERS;
    if (up < need) return refuse(need, replicas, 0);
  } else {
    if (one == NO_SLOT) return refuse(1, replicas, 0);
    if (!outboxRoom(one, bytes)) return PEERS;
  }
  if (!slotsHaveRoom()) return refuseMore();
  const request = level == LEVEL_ONE ? requestOf(argv, argc) : 0;
  if (level == LEVEL_ONE && request == 0) return refuseMore();
  // What stands when no replica holds anything.
  if (command == GET) replyNull();
  else replyInteger(command == TTL || command == PTTL ? -2 : 0);
  gate();
  const handle = slotOpenFor(client, place(reply), place(outNext), need, replicas, command, SLOT_CAREFUL);
  if (request == 0) {
    slotExpects(handle, sendReadOf(set, handle, database, 0, 0, key, keyLength));
    return DONE;
  }
  slotAttach(slotOf(handle), request);
  oneIsAsked();
  linkExpect(one, handle);
  frameRead(one, database, 0, 0, key, keyLength);
  slotExpects(handle, 1);
  return DONE;
}

/** The link of the nearest replica that answers reads, or of one that can be asked at least; NO_SLOT when there is none. */
function nearest(set: u32): u32 {
  const locals = setLocals(set);
  const first = setPreferred(set);
  let other = NO_SLOT;
  for (let i: u32 = 0; i < locals; i++) {
    const link = setLocal(set, (first + i) % locals);
    if (linkIsReadable(link)) return link;
    if (other == NO_SLOT && linkTakesAwaited(link)) other = link;
  }
  return other;
}

/** A blind write of one key: SET with at most an expiry, SETEX, PSETEX, DEL, UNLINK. */
export function writeElsewhere(
  command: u32,
  argv: u32,
  argc: u32,
  hash: u32,
  set: u32,
  reply: u32,
  level: u32,
): i32 {
  const key = argument(argv, 1);
  const keyLength = argumentLength(argv, 1);
  const writes = command <= PSETEX;
  const value = writes ? (command == SET ? 2 : 3) : 0;
  const length = writes ? argumentLength(argv, value) : WRITE_SEEN_BYTES;
  const replicas = setReplicas(set);
  if (replicas == 0) return leave();
  const need: u32 = level == LEVEL_ONE ? 1 : (replicas >> 1) + 1;
  const up = writableLinks(set, writeBytes(keyLength, length));
  if (up == NO_ROOM) return PEERS;
  if (up < need) return refuse(need, replicas, 0);
  if (!slotsHaveRoom()) return refuseMore();
  const unit: i64 = command == SETEX ? 1000 : command == PSETEX ? 1 : 0;
  if (writes && !readBlindExpiry(argv, argc, unit)) return DONE;
  const expiryAndNode = (writes ? expiryRead << 16 : 0) | <u64>nodeIndex;
  if (writes) replyOk();
  else replyInteger(0);
  gate();
  const handle = slotOpenFor(client, place(reply), place(outNext), need, replicas, command, SLOT_WRITE);
  slotSetHash(slotOf(handle), hash);
  const flags = writes ? 0 : FRAME_TOMBSTONE;
  const from = writes ? argument(argv, value) : <u32>nothing;
  slotExpects(
    handle,
    sendWrite(set, handle, database, flags, mintStamp(), expiryAndNode, key, keyLength, from, length),
  );
  return DONE;
}
