/**
 * Which members hold a key: the readable statement of what the kernel routes by (assembly/kernel/ring/route.ts), and the source of
 * its tables.
 *
 * Each rack holds every key once. With "vnode" a key belongs to the first token of the rack at or after its own, wrapping to the
 * first; with "random_slicing" to the slice that its point lies in. The places where an owner changes in any rack cut the ring
 * into intervals; every key of an interval has the same replicas.
 */
import { HASH_NAMES, type HashName, wordsOf } from "../codec/hash.ts";
import type { Token } from "../codec/token.ts";
import { lastPosition, ringPosition } from "./position.ts";
import type { Member, Rack, ReplicaSet, Topology } from "./topology.ts";

/** The positions behind the interval before up to `end`, inclusive. */
export interface Interval {
  readonly end: bigint;
  /** Position of its replicas in Placement.sets. */
  readonly set: number;
}

export interface Placement {
  readonly topology: Topology;
  /** Ascending, without gaps; the last one ends at the hash function's last position. */
  readonly intervals: readonly Interval[];
  /** Each set of replicas in each order once. */
  readonly sets: readonly ReplicaSet[];
  /** The replicas of a key: one of the sets. */
  replicasOf(key: Uint8Array): ReplicaSet;
}

/** Hashes a key, as the codec does. */
export type HashKey = (name: HashName, key: Uint8Array) => Token;

/**
 * Ranges of a datacenter for each of its racks, from which on they are left whole. Where there are fewer, each range is cut into as
 * many parts as there are racks, each with another first replica: so every member is the executor of about the same share of the
 * keys, also where all racks have the same few tokens.
 */
export const WHOLE_RANGES_FROM = 16;

export function buildPlacement(topology: Topology, hashKey: HashKey): Placement {
  const last = lastPosition(topology.hash);
  const home = topology.datacenters.find(({ name }) => name === topology.self.datacenter)!;
  const homeIndex = home.racks.findIndex(({ name }) => name === topology.self.rack);
  const local = home.racks.map((rack) => ownersOf(rack, topology));
  const remote = topology.datacenters
    .filter((datacenter) => datacenter !== home)
    .map(({ racks }) => rotate(racks, homeIndex).map((rack) => ownersOf(rack, topology)));

  const ranges = rangesOf(local, last);
  const pieces = rotatedPieces(ranges, local.length);
  const ends = sortedOnce([
    ...pieces.map(({ end }) => end),
    ...remote.flat().flatMap((owners) => owners.flatMap(({ end }) => (end <= last ? [end] : []))),
  ]);

  const sets: ReplicaSet[] = [];
  const known = new Map<string, number>();
  const intervals: Interval[] = [];
  const localWalks = local.map(walk);
  const remoteWalks = remote.map((racks) => racks.map(walk));
  let piece = 0;
  for (const end of ends) {
    while (pieces[piece]!.end < end) piece++;
    const candidate: ReplicaSet = {
      local: rotate(
        localWalks.map((ownerOf) => ownerOf(end)),
        pieces[piece]!.rotation,
      ),
      remote: remoteWalks.map((walks) => walks.map((ownerOf) => ownerOf(end))),
    };
    const name = setName(candidate);
    const set = known.get(name) ?? sets.push(candidate) - 1;
    known.set(name, set);
    if (intervals.at(-1)?.set === set) intervals.pop();
    intervals.push({ end, set });
  }
  return {
    topology,
    intervals,
    sets,
    replicasOf(key) {
      const token = hashKey(topology.hash, hashedPart(key, topology.hashTag));
      return sets[setOfToken(intervals, token)]!;
    },
  };
}

/** The number of the set that holds a token. */
export function setOfToken(intervals: readonly Interval[], token: Token): number {
  const position = ringPosition(token);
  let low = 0;
  let high = intervals.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intervals[middle]!.end < position) low = middle + 1;
    else high = middle;
  }
  return intervals[low]!.set;
}

/**
 * The part of a key that is hashed: what lies between the first opening byte and the first closing byte behind it; the whole key
 * where one of them is missing or nothing lies between them.
 */
export function hashedPart(key: Uint8Array, tag: Topology["hashTag"]): Uint8Array {
  if (tag === undefined) return key;
  const open = key.indexOf(tag[0]);
  const close = open < 0 ? -1 : key.indexOf(tag[1], open + 1);
  return close <= open + 1 ? key : key.subarray(open + 1, close);
}

/** The share of all positions that each member owns in its rack, from 0 to 1; those of a rack add up to 1. */
export function sharesOf({ topology }: Placement): ReadonlyMap<Member, number> {
  const last = lastPosition(topology.hash);
  const shares = new Map<Member, number>(topology.members.map((member) => [member, 0]));
  for (const rack of topology.datacenters.flatMap(({ racks }) => racks)) {
    const owners = ownersOf(rack, topology);
    const ownerOf = walk(owners);
    let before = -1n;
    for (const end of sortedOnce([...owners.map((owner) => owner.end), last])) {
      if (end > last) break;
      const member = ownerOf(end);
      shares.set(member, shares.get(member)! + Number(end - before) / Number(last + 1n));
      before = end;
    }
  }
  return shares;
}

/** The kernel's number of a topology's hash function. */
export function hashKind({ hash }: Topology): number {
  return HASH_NAMES.indexOf(hash);
}

/** A member owns the positions of its rack behind the one before up to `end`. */
interface Owner {
  readonly end: bigint;
  readonly member: Member;
}

function ownersOf(rack: Rack, topology: Topology): Owner[] {
  const table = topology.slices.find(
    (slices) => slices.rack === rack.name && slices.datacenter === rack.members[0]!.datacenter,
  );
  if (table === undefined) {
    return rack.members
      .flatMap((member) => member.tokens.map((token) => ({ end: ringPosition(token), member })))
      .sort((a, b) => compare(a.end, b.end));
  }
  const owners: Owner[] = [];
  for (const { end, member } of table.slices) {
    const position = positionOfPoint(end, topology.hash);
    // A slice between two tokens of the hash function owns none of them.
    if (owners.at(-1)?.end !== position) owners.push({ end: position, member });
  }
  return owners;
}

/** The last position that lies in a slice which ends at `point`. */
function positionOfPoint(point: bigint, hash: HashName): bigint {
  switch (wordsOf(hash)) {
    case 1:
      return point >> 32n;
    case 2:
      return point;
    default:
      return (point << 64n) | ((1n << 64n) - 1n);
  }
}

/** Finds the owner of each of a row of ascending positions. */
function walk(owners: readonly Owner[]): (position: bigint) => Member {
  let at = 0;
  return (position) => {
    while (at < owners.length && owners[at]!.end < position) at++;
    return (owners[at] ?? owners[0]!).member;
  };
}

/** Ends of the ranges with the same owners in this datacenter. */
function rangesOf(local: readonly (readonly Owner[])[], last: bigint): bigint[] {
  const ends = local.flat().flatMap(({ end }) => (end <= last ? [end] : []));
  return sortedOnce([...ends, last]);
}

/** A part of a range, and how far its fixed order of replicas is from that of the racks. */
interface Piece {
  readonly end: bigint;
  readonly rotation: number;
}

function rotatedPieces(ranges: readonly bigint[], racks: number): Piece[] {
  const parts = ranges.length < WHOLE_RANGES_FROM * racks ? racks : 1;
  const pieces: Piece[] = [];
  let before = -1n;
  for (const [i, end] of ranges.entries()) {
    for (let part = 1; part <= parts; part++) {
      const cut = before + ((end - before) * BigInt(part)) / BigInt(parts);
      if (cut > (pieces.at(-1)?.end ?? -1n)) {
        pieces.push({ end: cut, rotation: (i + part - 1) % racks });
      }
    }
    before = end;
  }
  return pieces;
}

function setName({ local, remote }: ReplicaSet): string {
  const names = (members: readonly Member[]) => members.map(({ index }) => index).join(",");
  return [names(local), ...remote.map(names)].join(";");
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  return items.map((_, i) => items[(i + by) % items.length]!);
}

function sortedOnce(ends: readonly bigint[]): bigint[] {
  return [...new Set(ends)].sort(compare);
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
