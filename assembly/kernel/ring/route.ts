// Which members hold a key: tables that the host writes (src/ring/tables.ts), and the search in them. Offsets are from the
// tables' start; everything is little-endian.
//
//   0 u32 hash kind (codec/token.ts)   4 u32 opening byte of hash tags   8 u32 closing byte (0: no tags)   12 u32 intervals
//   16 u32 sets   20 u32 offset of the intervals   24 u32 offset of the sets   28 u32 0
//   interval, 24 bytes, ascending:  0 u64 high, 8 u64 low half of its last position   16 u32 number of its set   20 u32 0
//   set, 64 bytes:
//     0 u8 flags (1: this node is a replica)   1 u8 replicas in this datacenter   2 u8 local links   3 u8 remote links
//     4 u8 position of this node in the fixed order (255: none)   5 u8 local link to read from first   6 u8[2] 0
//     8 u16 × 28: the other local replicas in the fixed order, then one link per other datacenter (0xffff: none)
//
// A key belongs to the first interval whose last position is at or after its own, wrapping to the first.

import { hashToken, hashWord, HASH_MURMUR3, HASH_MURMUR3_X64_64 } from "../../codec/token";
import { freePages, PAGE_BYTES } from "../pages";
import { takePagesForHost } from "../room";

const HASH_KIND: u32 = 0;
const TAG_OPEN: u32 = 4;
const TAG_CLOSE: u32 = 8;
const INTERVALS: u32 = 12;
const SETS: u32 = 16;
const INTERVALS_OFFSET: u32 = 20;
const SETS_OFFSET: u32 = 24;
const INTERVAL_BYTES: u32 = 24;
const SET_BYTES: u32 = 64;
const SET_LINKS: u32 = 8;
const SELF_IS_REPLICA: u32 = 1;

/** Whether tables are installed: this node is a member of a ring. */
export let ringOn: bool = false;
/** Whether this node is a replica of every key. */
export let selfInAllSets: bool = false;

let tables: u32 = 0;
let tablePages: u32 = 0;
let reserved: u32 = 0;
let reservedPages: u32 = 0;
let sets: u32 = 0;
/** All keys have the same replicas; `onlySet`: their order too. */
let sameMembers: bool = false;
let onlySet: bool = false;

const token: usize = memory.data(24, 8);

/** Forgets the tables; their pages must have been given back by pagesInit(). */
export function routeInit(): void {
  ringOn = false;
  selfInAllSets = false;
  tables = 0;
  tablePages = 0;
  reserved = 0;
  reservedPages = 0;
}

/** A region for tables of so many bytes, for the host to fill and to install; 0 at the ceiling. */
export function ringReserve(bytes: u32): u32 {
  if (reserved != 0) freePages(reserved, reservedPages);
  reservedPages = (bytes + PAGE_BYTES - 1) >> 16;
  reserved = takePagesForHost(reservedPages);
  return reserved;
}

/** Routes by the tables that were written to what ringReserve() returned; gives those before back. */
export function routeInstall(address: u32): void {
  if (tables != 0 && tables != address) freePages(tables, tablePages);
  tables = address;
  if (address == reserved) {
    tablePages = reservedPages;
    reserved = 0;
  }
  sets = address + load<u32>(address, SETS_OFFSET);
  const count = load<u32>(address, SETS);
  onlySet = count == 1;
  sameMembers = true;
  selfInAllSets = true;
  for (let i: u32 = 0; i < count; i++) {
    const set = sets + i * SET_BYTES;
    if (!setHasSelf(set)) selfInAllSets = false;
    if (!haveSameMembers(sets, set)) sameMembers = false;
  }
  ringOn = true;
}

// ---- Sets -----------------------------------------------------------------------------------------------------------

// @ts-ignore: decorator
@inline
export function setHasSelf(set: u32): bool {
  return (load<u8>(set) & SELF_IS_REPLICA) != 0;
}
/** Configured replicas in this datacenter, this node among them where it is one. */
// @ts-ignore: decorator
@inline
export function setReplicas(set: u32): u32 {
  return load<u8>(set, 1);
}
/** Links to the other replicas in this datacenter. */
// @ts-ignore: decorator
@inline
export function setLocals(set: u32): u32 {
  return load<u8>(set, 2);
}
/** Links to other datacenters. */
// @ts-ignore: decorator
@inline
export function setRemotes(set: u32): u32 {
  return load<u8>(set, 3);
}
/** Other replicas that come before this node in the fixed order. */
// @ts-ignore: decorator
@inline
export function setPosition(set: u32): u32 {
  return load<u8>(set, 4);
}
/** Which of the local links to read from first. */
// @ts-ignore: decorator
@inline
export function setPreferred(set: u32): u32 {
  return load<u8>(set, 5);
}
// @ts-ignore: decorator
@inline
export function setLocal(set: u32, index: u32): u32 {
  return load<u16>(set + (index << 1), SET_LINKS);
}
// @ts-ignore: decorator
@inline
export function setRemote(set: u32, index: u32): u32 {
  return load<u16>(set + ((setLocals(set) + index) << 1), SET_LINKS);
}

/** Whether two sets have the same replicas, in whatever order, and send to other datacenters by the same links. */
export function haveSameMembers(a: u32, b: u32): bool {
  if (a == b) return true;
  const locals = setLocals(a);
  const remotes = setRemotes(a);
  if (locals != setLocals(b) || remotes != setRemotes(b) || setHasSelf(a) != setHasSelf(b)) return false;
  for (let i: u32 = 0; i < remotes; i++) if (setRemote(a, i) != setRemote(b, i)) return false;
  for (let i: u32 = 0; i < locals; i++) {
    let other: u32 = 0;
    while (other < locals && setLocal(b, other) != setLocal(a, i)) other++;
    if (other == locals) return false;
  }
  return true;
}

// ---- Keys -----------------------------------------------------------------------------------------------------------

/** The set of a key's replicas, in its fixed order; 0 without a ring. */
export function routeSet(key: u32, length: u32): u32 {
  if (!ringOn) return 0;
  return onlySet ? sets : searchSet(key, length);
}

/** As routeSet(), for who does not need the order. */
// @ts-ignore: decorator
@inline
export function routeMembers(key: u32, length: u32): u32 {
  return sameMembers ? sets : searchSet(key, length);
}

/** The number of a key's set in the tables, -1 without a ring. */
export function ringRoute(key: u32, length: u32): i32 {
  const set = routeSet(key, length);
  return set == 0 ? -1 : <i32>((set - sets) / SET_BYTES);
}

function searchSet(key: u32, length: u32): u32 {
  const close = load<u32>(tables, TAG_CLOSE);
  if (close != 0) {
    const tag = tagOf(key, length, load<u32>(tables, TAG_OPEN), close);
    if (tag != 0) {
      key = tag;
      length = tagLength;
    }
  }
  const kind = load<u32>(tables, HASH_KIND);
  let high: u64 = 0;
  let low: u64 = 0;
  if (kind == HASH_MURMUR3 || kind == HASH_MURMUR3_X64_64) {
    hashToken(kind, key, length, <u32>token);
    low = (<u64>load<u32>(token, 8) << 32) | <u64>load<u32>(token, 12);
    if (kind == HASH_MURMUR3) {
      high = low;
      low = (<u64>load<u32>(token, 16) << 32) | <u64>load<u32>(token, 20);
    }
  } else {
    low = <u64>hashWord(kind, key, length);
  }
  const intervals = tables + load<u32>(tables, INTERVALS_OFFSET);
  let first: u32 = 0;
  let last = load<u32>(tables, INTERVALS);
  const count = last;
  // The first interval whose end is not before the key's position.
  while (first < last) {
    const middle = (first + last) >> 1;
    const at = intervals + middle * INTERVAL_BYTES;
    const end = load<u64>(at);
    if (end < high || (end == high && load<u64>(at, 8) < low)) first = middle + 1;
    else last = middle;
  }
  if (first == count) first = 0;
  return sets + load<u32>(intervals + first * INTERVAL_BYTES, 16) * SET_BYTES;
}

let tagLength: u32 = 0;

/** What lies between the first opening byte and the first closing byte behind it: its address, 0 for none or nothing. */
function tagOf(key: u32, length: u32, open: u32, close: u32): u32 {
  const end = key + length;
  let at = key;
  while (at < end && load<u8>(at) != open) at++;
  const first = at + 1;
  at = first;
  while (at < end && load<u8>(at) != close) at++;
  if (at >= end || at == first) return 0;
  tagLength = at - first;
  return first;
}
