/**
 * Writes a placement as the tables that the kernel routes by, in the layout that assembly/kernel/ring/route.ts draws (all integers
 * little-endian; offsets from the table's start):
 *
 *   0   u32 hash kind   4 u32 opening byte of hash tags   8 u32 closing byte (0: no tags)   12 u32 intervals   16 u32 sets
 *   20  u32 offset of the intervals   24 u32 offset of the sets   28 u32 0
 *   intervals: 24 bytes each, ascending
 *   0   u64 high and 8 u64 low half of the last position   16 u32 number of the set   20 u32 0
 *   sets: 64 bytes each
 *   0   u8 flags (1: this node is a replica)   1 u8 replicas in this datacenter   2 u8 local links   3 u8 remote links
 *   4   u8 position of this node in the fixed order (255: not in it)
 *   5   u8 position among the local links of the replica in this node's own rack (0 where it is this node)   6 u8[2] 0
 *   8   u16 × 28: the other local replicas in the fixed order, then one link for each other datacenter (0xffff: none)
 */
import type { Member } from "./member.ts";
import { hashKind, type Placement } from "./placement.ts";
import type { ReplicaSet } from "./topology.ts";

export const HEADER_BYTES = 32;
export const INTERVAL_BYTES = 24;
export const SET_BYTES = 64;
/** Where the links of a set begin. */
export const SET_LINKS = 8;

/** Flag of a set: this node is one of its replicas. */
export const SELF_IS_REPLICA = 1;
/** Position of what is not there. */
export const NO_POSITION = 255;
/** Link to a datacenter that no link leads to. */
export const NO_LINK = 0xffff;

/**
 * The tables of a placement. Of another datacenter a set gets the first replica that `isUp` says can be reached, and the preferred
 * one where none can.
 */
export function writeRingTables(
  placement: Placement,
  isUp: (member: Member) => boolean,
): Uint8Array {
  const { topology, intervals, sets } = placement;
  const setsAt = HEADER_BYTES + intervals.length * INTERVAL_BYTES;
  const bytes = new Uint8Array(setsAt + sets.length * SET_BYTES);
  const view = new DataView(bytes.buffer);
  const [open, close] = topology.hashTag ?? [0, 0];
  const header = [
    ...[hashKind(topology), open, close],
    ...[intervals.length, sets.length, HEADER_BYTES, setsAt],
  ];
  for (const [i, word] of header.entries()) view.setUint32(4 * i, word, true);
  let at = HEADER_BYTES;
  for (const { end, set } of intervals) {
    view.setBigUint64(at, end >> 64n, true);
    view.setBigUint64(at + 8, BigInt.asUintN(64, end), true);
    view.setUint32(at + 16, set, true);
    at += INTERVAL_BYTES;
  }
  for (const set of sets) {
    writeSet(view, at, set, topology.self, isUp);
    at += SET_BYTES;
  }
  return bytes;
}

function writeSet(
  view: DataView,
  at: number,
  { local, remote }: ReplicaSet,
  self: Member,
  isUp: (member: Member) => boolean,
): void {
  const position = local.indexOf(self);
  const others = local.filter((member) => member !== self);
  view.setUint8(at, position < 0 ? 0 : SELF_IS_REPLICA);
  view.setUint8(at + 1, local.length);
  view.setUint8(at + 2, others.length);
  view.setUint8(at + 3, remote.length);
  view.setUint8(at + 4, position < 0 ? NO_POSITION : position);
  const near = others.findIndex(({ rack }) => rack === self.rack);
  view.setUint8(at + 5, Math.max(near, 0));
  const links = [
    ...others.map(({ index }) => index),
    ...remote.map((replicas) => (replicas.find(isUp) ?? replicas[0])?.index ?? NO_LINK),
  ];
  for (const [i, link] of links.entries()) view.setUint16(at + SET_LINKS + 2 * i, link, true);
}
