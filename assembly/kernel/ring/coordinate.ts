// Commands of clients of the ring: what happens around running them here. A command that reads sends its record's stamp to the other
// replicas, one that writes sends its record, and its reply waits behind a gate for as many of them as its level says. What this
// node is no replica of is in elsewhere.ts; what needs more than that is the host's.
//
//   level       read                                     write
//   DC_ONE      here                                     here; the reply waits until the frames have been sent
//   DC_QUORUM   the newest of a quorum                   acknowledged by a quorum
//   DC_SAFE…    the same, and a quorum holds it then     the same

import { changes, lastStamp, nodeIndex } from "../clock";
import {
  APPEND,
  ECHO,
  EXISTS,
  EXPIRE,
  EXPIREAT,
  GET,
  GETSET,
  MGET,
  MSET,
  PERSIST,
  PEXPIRE,
  run,
  SET,
  SETEX,
  SETNX,
  PSETEX,
} from "../commands/dispatch";
import { argument, argumentLength, database, DONE, findKey, hashOf, isObject, LARGE } from "../commands/command";
import { writtenRecord } from "../entries";
import { commandSet, isBlindSet } from "../commands/set";
import { recordBodyLength, recordNode, recordStamp } from "../record";
import { outEnd, outNext, setOutput } from "../reply";
import { MARK_TOMBSTONE, slotMarks, slotRecord, tableFind } from "../table";
import { attachmentBody, attachmentFree } from "./attachments";
import { client, gate, gateForTurn, leave, PEERS, place, readLevel, refuse, refuseMore, writeLevel } from "./client";
import { readElsewhere, writeElsewhere } from "./elsewhere";
import {
  framesSent,
  isExecutor,
  MAX_COMMAND_BYTES,
  MAX_RECORD_BYTES,
  NO_ROOM,
  readableLinks,
  sendRead,
  sendRecord,
  writableLinks,
} from "./fan-out";
import { COMMANDS_COORDINATED, countFigure } from "./figures";
import { countAtOnce } from "./latency";
import { LEVEL_ONE, LEVEL_SAFE } from "./levels";
import { isFenced, mayHaveForgotten, SELF_COORDINATING, selfFlags } from "./limits";
import { NO_SLOT } from "./links";
import { writeBytes } from "./outbox";
import { keyIsAlive, keysOf, requestOf } from "./requests";
import { haveSameMembers, routeMembers, routeSet, setHasSelf, setReplicas } from "./route";
import { PART, SLOT_CAREFUL, SLOT_MULTI, SLOT_SAFE, SLOT_SELF, SLOT_WRITE, slotAttach, slotOf, slotSetHash } from "./slot";
import { slotExpects, slotOpenFor, slotsHaveRoom } from "./slots";

// What a command is to the coordinator.
const KEYLESS: u32 = 0;
const READ: u32 = 1;
/** Its outcome does not depend on what is there: SET without NX and its kind, SETEX. */
const BLIND: u32 = 2;
/** It runs at the executor, and what comes of it is replicated. */
const EFFECT: u32 = 3;
const READ_MANY: u32 = 4;
const WRITE_MANY: u32 = 5;
const DELETE: u32 = 6;

/** By a command's number. */
const kinds: usize = memory.data<u8>([
  0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 1, 3, 3, 1, 1, 3, 2, 2, 3, 3, 4, 5, 6, 6, 4, 4, 0, 0,
]);

/** What a DEL saw: u64 stamp, u16 node. */
const seen: usize = memory.data(16, 8);

/** Runs a command of a client: DONE, HOST, FULL, LARGE or PEERS. `reply`: where its reply begins. */
export function coordinate(command: u32, argv: u32, argc: u32, hash: u32, reply: u32): i32 {
  const kind = <u32>load<u8>(kinds + command);
  if (kind == KEYLESS) return runHere(command, argv, argc, hash);
  const reads = kind == READ || kind == READ_MANY;
  const level = reads ? readLevel : writeLevel;
  if ((selfFlags & SELF_COORDINATING) == 0 || level > LEVEL_SAFE) return leave();
  const outcome = coordinateKeys(kind, command, argv, argc, hash, reply, level);
  if (outcome == DONE) countFigure(COMMANDS_COORDINATED, 1);
  return outcome;
}

// @ts-ignore: decorator
@inline
function coordinateKeys(
  kind: u32,
  command: u32,
  argv: u32,
  argc: u32,
  hash: u32,
  reply: u32,
  level: u32,
): i32 {
  switch (kind) {
    case READ:
      return read(command, argv, argc, hash, reply, level);
    case BLIND:
      if (command == SET && argc != 3 && !isBlindSet(argv, argc)) return effect(command, argv, argc, hash, reply, level);
      return blind(command, argv, argc, hash, reply, level);
    case EFFECT:
      return effect(command, argv, argc, hash, reply, level);
    case READ_MANY:
      if (argc == 2 && command != MGET) return read(command, argv, argc, hashOf(argv, 1), reply, level);
      return readMany(command, argv, argc, reply, level);
    case DELETE:
      if (argc == 2) return blind(command, argv, argc, hashOf(argv, 1), reply, level);
      // The counts of several keys, each of the newest of a quorum, are put together by the host.
      if (level != LEVEL_ONE) return leave();
  }
  if (command == MSET && argc == 3) return blind(SET, argv, argc, hashOf(argv, 1), reply, level);
  return writeMany(command, argv, argc, reply, level);
}

/** A call of its own: feed() has the other copy of all commands. */
function runHere(command: u32, argv: u32, argc: u32, hash: u32): i32 {
  return run(command, argv, argc, hash);
}

// ---- One key --------------------------------------------------------------------------------------------------------

function read(command: u32, argv: u32, argc: u32, hash: u32, reply: u32, level: u32): i32 {
  const key = argument(argv, 1);
  const keyLength = argumentLength(argv, 1);
  const set = routeMembers(key, keyLength);
  if (!setHasSelf(set) || isFenced()) return readElsewhere(command, argv, argc, set, reply, level);
  const replicas = setReplicas(set);
  // Others that must answer.
  const need: u32 = level == LEVEL_ONE ? 0 : replicas >> 1;
  if (need == 0) {
    countAtOnce(level, false);
    return runHere(command, argv, argc, hash);
  }
  if (keyLength > MAX_RECORD_BYTES) return leave();
  const up = readableLinks(set, writeBytes(keyLength, 0));
  if (up == NO_ROOM) return PEERS;
  if (up < need) return refuse(need + 1, replicas, 1);
  if (!slotsHaveRoom()) return refuseMore();
  if (level == LEVEL_SAFE) return readSafely(command, argv, argc, hash, reply, set, need);
  const outcome = runHere(command, argv, argc, hash);
  if (outcome != DONE) return outcome == LARGE ? leave() : outcome;
  gate();
  const flags = SLOT_SELF;
  const handle = slotOpenFor(client, place(reply), place(outNext), need, replicas, command, flags);
  slotExpects(handle, sendRead(set, handle, database, hash, key, keyLength));
  return DONE;
}

/** DC_SAFE_QUORUM: the request is kept, because what replicas answer may be more than the kernel writes back. */
function readSafely(command: u32, argv: u32, argc: u32, hash: u32, reply: u32, set: u32, need: u32): i32 {
  const record = findKey(argv, 1, hash);
  if (record != 0 && (isObject(record) || recordBodyLength(record) > MAX_RECORD_BYTES)) return leave();
  const request = requestOf(argv, argc);
  if (request == 0) return refuseMore();
  const outcome = runHere(command, argv, argc, hash);
  if (outcome != DONE) {
    attachmentFree(request);
    return outcome;
  }
  gate();
  const flags = SLOT_SELF | SLOT_SAFE;
  const handle = slotOpenFor(client, place(reply), place(outNext), need, setReplicas(set), command, flags);
  slotAttach(slotOf(handle), request);
  slotExpects(handle, sendRead(set, handle, database, hash, argument(argv, 1), argumentLength(argv, 1)));
  return DONE;
}

/** SET and its kind, DEL of one key. */
function blind(command: u32, argv: u32, argc: u32, hash: u32, reply: u32, level: u32): i32 {
  const key = argument(argv, 1);
  const keyLength = argumentLength(argv, 1);
  const writes = command <= PSETEX;
  const valueLength = writes ? argumentLength(argv, command == SET ? 2 : 3) : 10;
  if (keyLength > MAX_RECORD_BYTES || valueLength > MAX_RECORD_BYTES - keyLength) return leave();
  const set = routeMembers(key, keyLength);
  if (!setHasSelf(set)) return writeElsewhere(command, argv, argc, hash, set, reply, level);
  const replicas = setReplicas(set);
  const need = othersToWrite(level, replicas);
  const up = writableLinks(set, writeBytes(keyLength, valueLength));
  if (up == NO_ROOM) return PEERS;
  if (up < need) return refuseWrite(replicas);
  if (need != 0 && !slotsHaveRoom()) return refuseMore();
  if (!writes) noteSeen(hash, key, keyLength);
  const before = changes;
  const outcome = command == SET ? commandSet(argv, argc, hash) : runHere(command, argv, argc, hash);
  if (outcome != DONE || changes == before) return outcome;
  return replicate(command, set, need, key, keyLength, hash, reply, !writes && need != 0 ? <u32>seen : 0);
}

/** How many other replicas must acknowledge a write that this node, a replica, coordinates. */
// @ts-ignore: decorator
@inline
function othersToWrite(level: u32, replicas: u32): u32 {
  return level == LEVEL_ONE ? 0 : (replicas >> 1) + (mayHaveForgotten() ? 1 : 0);
}

/** Whether this node counts, where so many others must acknowledge. */
// @ts-ignore: decorator
@inline
function ownShare(need: u32, replicas: u32): u32 {
  return need > replicas >> 1 ? 0 : SLOT_SELF;
}

function refuseWrite(replicas: u32): i32 {
  return refuse((replicas >> 1) + 1, replicas, mayHaveForgotten() ? 0 : 1);
}

/** Notes what is there for a key that a DEL is about to remove. */
function noteSeen(hash: u32, key: u32, keyLength: u32): void {
  const slot = tableFind(database, hash, key, keyLength);
  const record: u32 = slot == 0 ? 0 : slotRecord(slot);
  store<u64>(seen, record == 0 ? 0 : recordStamp(record));
  store<u16>(seen, record == 0 ? 0 : <u16>recordNode(record), 8);
}

/**
 * Commands whose outcome depends on what is there: at the key's executor, of which only one is there at a time. Above DC_ONE the
 * newest of a quorum must be here before they run, or they would replace an acknowledged write that this node has missed with a
 * newer stamp: the host reads it.
 */
function effect(command: u32, argv: u32, argc: u32, hash: u32, reply: u32, level: u32): i32 {
  const key = argument(argv, 1);
  const keyLength = argumentLength(argv, 1);
  const set = routeSet(key, keyLength);
  if (!setHasSelf(set) || isFenced() || !isExecutor(set)) return leave();
  if (level != LEVEL_ONE && setReplicas(set) > 1) return leave();
  const bytes = bytesAfter(command, argv, argc, hash);
  if (bytes > MAX_RECORD_BYTES) return leave();
  if (writableLinks(set, writeBytes(keyLength, <u32>bytes)) == NO_ROOM) return PEERS;
  const before = changes;
  const outcome = runHere(command, argv, argc, hash);
  if (outcome != DONE || changes == before) return outcome;
  return replicate(command, set, 0, key, keyLength, hash, reply, 0);
}

/** Most bytes of the key and the value after a command has run; more than MAX_RECORD_BYTES for an object that it changes. */
function bytesAfter(command: u32, argv: u32, argc: u32, hash: u32): u64 {
  const keyLength = <u64>argumentLength(argv, 1);
  if (command == SET || command == SETNX || command == GETSET) return keyLength + argumentLength(argv, 2);
  const keeps =
    command == APPEND || command == EXPIRE || command == PEXPIRE || command == EXPIREAT || command == PERSIST;
  if (!keeps) return keyLength + 24;
  const record = findKey(argv, 1, hash);
  const added = keyLength + (command == APPEND ? argumentLength(argv, 2) : 0);
  if (record == 0) return added;
  return isObject(record) ? u64.MAX_VALUE : added + recordBodyLength(record);
}

/** Sends what a command has made of its key, and has its reply wait. */
// @ts-ignore: decorator
@inline
function replicate(
  command: u32,
  set: u32,
  need: u32,
  key: u32,
  keyLength: u32,
  hash: u32,
  reply: u32,
  saw: u32,
): i32 {
  const record = writtenRecord;
  if (record == 0) return DONE;
  if (need == 0) {
    sendRecord(set, NO_SLOT, database, record, key, keyLength, saw);
    if (framesSent != 0) gateForTurn();
    countAtOnce(LEVEL_ONE, true);
    return DONE;
  }
  gate();
  const replicas = setReplicas(set);
  const flags = SLOT_WRITE | ownShare(need, replicas);
  const handle = slotOpenFor(client, place(reply), place(outNext), need, replicas, command, flags);
  slotSetHash(slotOf(handle), hash);
  slotExpects(handle, sendRecord(set, handle, database, record, key, keyLength, saw));
  return DONE;
}

// ---- Several keys ---------------------------------------------------------------------------------------------------

/**
 * The set of all keys argv[1], argv[1 + step]…, when this node is a replica of each; at other levels than DC_ONE they must have the
 * same replicas. 0: the host splits the command. `manyBytes`: what their frames take, with what is in between them.
 */
function commonSet(argv: u32, argc: u32, step: u32, level: u32): u32 {
  const first = routeMembers(argument(argv, 1), argumentLength(argv, 1));
  manyBytes = 0;
  for (let i: u32 = 1; i < argc; i += step) {
    const keyLength = argumentLength(argv, i);
    const set = routeMembers(argument(argv, i), keyLength);
    if (!setHasSelf(set) || (level != LEVEL_ONE && !haveSameMembers(first, set))) return 0;
    manyBytes += <u64>writeBytes(0, 0) + keyLength + (step == 2 ? argumentLength(argv, i + 1) : 0);
  }
  return first;
}

let manyBytes: u64 = 0;

function readMany(command: u32, argv: u32, argc: u32, reply: u32, level: u32): i32 {
  const set = commonSet(argv, argc, 1, level);
  if (set == 0 || isFenced() || level == LEVEL_SAFE) return leave();
  const replicas = setReplicas(set);
  const need: u32 = level == LEVEL_ONE ? 0 : replicas >> 1;
  if (need == 0) {
    countAtOnce(level, false);
    return runHere(command, argv, argc, 0);
  }
  if (manyBytes > MAX_COMMAND_BYTES) return leave();
  const up = readableLinks(set, <u32>manyBytes);
  if (up == NO_ROOM) return PEERS;
  if (up < need) return refuse(need + 1, replicas, 1);
  if (!slotsHaveRoom()) return refuseMore();
  const keys = keysOf(argv, argc);
  if (keys == 0) return refuseMore();
  const outcome = runHere(command, argv, argc, 0);
  if (outcome != DONE) {
    attachmentFree(keys);
    return outcome;
  }
  gate();
  const flags = SLOT_SELF | SLOT_MULTI | SLOT_CAREFUL;
  const handle = slotOpenFor(client, place(reply), place(outNext), need, replicas, command, flags);
  slotAttach(slotOf(handle), keys);
  let at = attachmentBody(keys) + 4;
  for (let i: u32 = 1; i < argc; i++) {
    const hash = hashOf(argv, i);
    at = keyIsAlive(at, findKey(argv, i, hash) != 0);
    const waiting = i + 1 < argc ? handle | PART : handle;
    const sent = sendRead(set, waiting, database, hash, argument(argv, i), argumentLength(argv, i));
    slotExpects(handle, sent);
  }
  return DONE;
}

/** MSET; at DC_ONE, DEL of several keys. */
function writeMany(command: u32, argv: u32, argc: u32, reply: u32, level: u32): i32 {
  const step: u32 = command == MSET ? 2 : 1;
  const set = commonSet(argv, argc, step, level);
  if (set == 0 || manyBytes > MAX_COMMAND_BYTES) return leave();
  const replicas = setReplicas(set);
  const need = othersToWrite(level, replicas);
  for (let i: u32 = 1; i < argc; i += step) {
    const keySet = level == LEVEL_ONE ? routeMembers(argument(argv, i), argumentLength(argv, i)) : set;
    const up = writableLinks(keySet, <u32>manyBytes);
    if (up == NO_ROOM) return PEERS;
    if (up < need) return refuseWrite(replicas);
    if (level != LEVEL_ONE) break;
  }
  if (need != 0 && !slotsHaveRoom()) return refuseMore();
  const before = lastStamp;
  const outcome = runHere(command, argv, argc, 0);
  if (outcome != DONE) return outcome;
  // Without memory for all of them, only the first ones were written.
  let last: u32 = 0;
  for (let i: u32 = 1; i < argc; i += step) if (written(argv, i, before) != 0) last = i;
  if (last == 0) return DONE;
  let handle = NO_SLOT;
  if (need != 0) {
    gate();
    const flags = SLOT_WRITE | SLOT_MULTI | SLOT_CAREFUL | ownShare(need, replicas);
    handle = slotOpenFor(client, place(reply), place(outNext), need, replicas, command, flags);
  }
  let frames: u32 = 0;
  for (let i: u32 = 1; i <= last; i += step) {
    const record = written(argv, i, before);
    if (record == 0) continue;
    const key = argument(argv, i);
    const keyLength = argumentLength(argv, i);
    const keySet = level == LEVEL_ONE ? routeMembers(key, keyLength) : set;
    const waiting = need != 0 && i != last ? handle | PART : handle;
    const sent = sendRecord(keySet, waiting, database, record, key, keyLength, 0);
    if (need != 0) slotExpects(handle, sent);
    frames += framesSent;
  }
  if (need == 0) {
    if (frames != 0) gateForTurn();
    countAtOnce(level, true);
  }
  return DONE;
}

/** The record of argv[index], or its tombstone, if it was written here after `before`; else 0. */
function written(argv: u32, index: u32, before: u64): u32 {
  const slot = tableFind(database, hashOf(argv, index), argument(argv, index), argumentLength(argv, index));
  if (slot == 0) return 0;
  const record = slotRecord(slot);
  return recordStamp(record) > before && recordNode(record) == nodeIndex ? record : 0;
}
