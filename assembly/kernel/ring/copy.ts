// Range copy: a walk through a database that writes records as WRITE frames, for a node that catches up. It goes in the order of
// hashes, so its cursor stays right whatever is written in between: every key that is there all the time is written once.

import {
  FLAG_OBJECT,
  FLAG_TOMBSTONE,
  recordBodyLength,
  recordFlags,
  recordHash,
  recordKey,
  recordKeyLength,
  recordStamp,
} from "../record";
import { PAGE_BYTES, takePages } from "../pages";
import { tableWalk, walkCount } from "../table-walk";
import { FRAME_OBJECT, FRAME_TOMBSTONE, FRAME_WRITE, tagFlag } from "./frames";
import { putHeld, writeBytes } from "./outbox";
import { ringOn, routeMembers, setLocal, setLocals } from "./route";

/** Records of a step of the walk, as many as tableWalk() may note: in a page that is taken for the first copy. */
let noted: u32 = 0;
/** Steps of 16 home slots that one call takes at most: about the records of a segment. */
const MAX_STEPS: u32 = 512;
/** For any peer: see copyWalk(). */
export const ANY_LINK: u32 = 0xffff;
/** In `aux` of a WRITE: the value is not in the frame, only its key and stamp are. Never on a link. */
export const AUX_LEFT_OUT: u32 = 1;

export function copyInit(): void {
  noted = 0;
}

let copied: u32 = 0;
let needed: u32 = 0;

/** Bytes that the last copyWalk() wrote. */
export function copiedBytes(): u32 {
  return copied;
}

/** Not 0: the last copyWalk() wrote nothing because what comes next takes so many bytes: it must be called with more room. */
export function copyNeeds(): u32 {
  return needed;
}

/**
 * Writes records and tombstones of a database with a stamp of at least `minStamp`, from `cursor` on, as WRITE frames to `out`,
 * until `room` bytes are used or a bounded number of slots was passed. `link`: only those that this peer in the own datacenter
 * is a replica of; 0xffff: all. Of an object of the host, and of a record that would take more than all of `room`, the frame has
 * no value and `aux` 1: the host puts its own in the place. Returns the cursor to go on from, 0 at the end unless copyNeeds() is
 * not 0; the first is 0.
 */
export function copyWalk(database: u32, cursor: u32, minStamp: u64, link: u32, out: u32, room: u32): u32 {
  const filtered = link != ANY_LINK && ringOn;
  copied = 0;
  needed = 0;
  if (noted == 0) noted = takePages(1, 1);
  if (noted == 0) {
    needed = PAGE_BYTES;
    return cursor;
  }
  let at = cursor;
  for (let step: u32 = 0; step < MAX_STEPS; step++) {
    const next = tableWalk(database, at, noted);
    const count = chosen(walkCount, at, minStamp, filtered ? link : ANY_LINK);
    for (let left = count; left != 0; ) {
      // Keys of one hash go together: the cursor cannot stop between them.
      const hash = smallest(count, at);
      const bytes = groupBytes(count, hash, room);
      if (bytes > room - copied) {
        if (copied == 0) needed = bytes;
        return hash;
      }
      left -= putGroup(count, hash, out, room, database);
      at = hash + 1;
    }
    at = next;
    if (at == 0) break;
  }
  return at;
}

/** Keeps those of the records noted that are asked for; how many. */
function chosen(count: u32, hash: u32, minStamp: u64, link: u32): u32 {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = load<u32>(noted + (i << 2));
    if (recordHash(record) < hash || recordStamp(record) < minStamp) continue;
    if (link != ANY_LINK && !isReplica(link, record)) continue;
    store<u32>(noted + (kept << 2), record);
    kept++;
  }
  return kept;
}

/** The smallest hash, from `hash` on, of the records noted. */
function smallest(count: u32, hash: u32): u32 {
  let best: u32 = 0xffffffff;
  for (let i: u32 = 0; i < count; i++) {
    const other = recordHash(load<u32>(noted + (i << 2)));
    if (other >= hash && other < best) best = other;
  }
  return best;
}

/** Bytes of the frames of all records noted that have this hash. */
function groupBytes(count: u32, hash: u32, room: u32): u32 {
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = load<u32>(noted + (i << 2));
    if (recordHash(record) == hash) bytes += frameBytes(record, room);
  }
  return bytes > 0xffffffff ? 0xffffffff : <u32>bytes;
}

/** Writes them; how many. */
function putGroup(count: u32, hash: u32, out: u32, room: u32, database: u32): u32 {
  let written: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = load<u32>(noted + (i << 2));
    if (recordHash(record) != hash) continue;
    const bytes = frameBytes(record, room);
    putWrite(out + copied, record, bytes, database);
    copied += bytes;
    written++;
  }
  return written;
}

function isReplica(link: u32, record: u32): bool {
  const set = routeMembers(recordKey(record), recordKeyLength(record));
  for (let i: u32 = 0; i < setLocals(set); i++) {
    if (setLocal(set, i) == link) return true;
  }
  return false;
}

function frameBytes(record: u32, room: u32): u32 {
  const keyLength = recordKeyLength(record);
  if (recordFlags(record) & FLAG_OBJECT) return writeBytes(keyLength, 0);
  const bytes = writeBytes(keyLength, recordBodyLength(record));
  return bytes > room ? writeBytes(keyLength, 0) : bytes;
}

function putWrite(at: u32, record: u32, bytes: u32, database: u32): void {
  const flags = recordFlags(record);
  const keyLength = recordKeyLength(record);
  const object = (flags & FLAG_OBJECT) != 0;
  const leftOut = object || bytes != writeBytes(keyLength, recordBodyLength(record));
  let frameFlags: u32 = flags & FLAG_TOMBSTONE ? FRAME_TOMBSTONE : 0;
  if (object) frameFlags = FRAME_OBJECT;
  // A value that is left out has no tag either.
  else if (!leftOut) frameFlags |= tagFlag(record);
  putHeld(at, bytes, FRAME_WRITE, frameFlags | database, record);
  if (leftOut) store<u16>(at, <u16>AUX_LEFT_OUT, 6);
}
