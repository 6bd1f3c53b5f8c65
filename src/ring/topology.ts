/** The members of a cluster as configured, and the order that every node gives them. */
import { RingletError } from "../base/errors.ts";
import { formatHostPort } from "../base/host-port.ts";
import { CodecError } from "../codec/codec-error.ts";
import { HASH_NAMES, type HashName, wordsOf } from "../codec/hash.ts";
import { NEGATIVE_SIGNUM, parseToken, type Token } from "../codec/token.ts";
import type { PeerAddress } from "../transport/transport.ts";
import {
  type ClusterOptions,
  DEFAULT_CLUSTER_NAME,
  DEFAULT_DATACENTER,
  DEFAULT_HASH,
  DEFAULT_RACK,
  DISTRIBUTIONS,
  type Distribution,
} from "./cluster-options.ts";
import { digestOf } from "./digest.ts";
import type { Datacenter, Member } from "./member.ts";
import { ringPosition } from "./position.ts";
import { parseSeed, type Seed, shown, splitTokens } from "./seed.ts";
import { buildSlices, type RackSlices } from "./slices.ts";

export type { Datacenter, Member, Rack } from "./member.ts";

/** A cluster as configured. */
export interface Topology {
  readonly cluster: string;
  readonly hash: HashName;
  /** The bytes that open and close the part of a key that is hashed; undefined: keys have no such part. */
  readonly hashTag: readonly [open: number, close: number] | undefined;
  readonly distribution: Distribution;
  /** Sorted by datacenter, rack, first token: the same on every node. */
  readonly members: readonly Member[];
  /** The same members, by name of datacenter and rack. */
  readonly datacenters: readonly Datacenter[];
  /** Which of them this node is. */
  readonly self: Member;
  /** The tables of all racks with "random_slicing"; empty with "vnode". */
  readonly slices: readonly RackSlices[];
  /**
   * Tells topologies apart: equal where cluster name, hash, tag, distribution, slices and the members' datacenters, racks and
   * tokens are. Addresses do not count: a peer may be reached by another one from elsewhere.
   */
  readonly digest: string;
}

/** The replicas of a range of tokens. */
export interface ReplicaSet {
  /** Those in this node's datacenter, in the fixed order of the range (this node among them where it is one). */
  readonly local: readonly Member[];
  /** By other datacenter: the replicas there; the first is preferred. */
  readonly remote: readonly (readonly Member[])[];
}

/** The replicas of a set in this node's datacenter alone. */
export function withinDatacenter({ local }: ReplicaSet): ReplicaSet {
  return { local, remote: [] };
}

/** Most members of a cluster. */
export const MAX_MEMBERS = 1023;
/** Most other replicas of a key that one node speaks to: those in its datacenter, and one for each other datacenter. */
export const MAX_LINKS_PER_SET = 28;
/** Most tokens of one member. */
export const MAX_TOKENS_PER_MEMBER = 1024;
/** Fewest characters of a cluster's secret. */
export const MIN_SECRET_LENGTH = 16;
/** Longest name of a cluster, datacenter or rack, in characters. */
export const MAX_NAME_LENGTH = 128;

/**
 * The topology that a node's configuration describes. Throws RingletError with what to change: BAD_NAME, BAD_HASH, BAD_HASH_TAG,
 * BAD_DISTRIBUTION, BAD_SLICES, BAD_SECRET, BAD_SEED, BAD_TOKEN, DUPLICATE_TOKEN (within a rack), DUPLICATE_ADDRESS, TOO_MANY_MEMBERS,
 * TOO_MANY_TOKENS, TOO_MANY_REPLICAS.
 */
export function buildTopology(options: ClusterOptions): Topology {
  const cluster = checkName("cluster", options.name ?? DEFAULT_CLUSTER_NAME);
  const hash = checkHash(options.hash ?? DEFAULT_HASH);
  const hashTag = readHashTag(options.hashTag);
  const distribution = checkDistribution(options.distribution ?? "vnode");
  checkSecret(options.secret);

  const own = readMember(ownSeed(options), hash);
  const others = (options.seeds ?? [])
    .map((text) => readMember(parseSeed(text), hash))
    .filter((member) => !isSame(member, own));
  const drafts = [own, ...others].sort(byPlace);
  if (drafts.length > MAX_MEMBERS) {
    throw new RingletError(
      "TOO_MANY_MEMBERS",
      `the cluster has ${drafts.length} members, more than ${MAX_MEMBERS}: leave some out`,
    );
  }
  const members = drafts.map((draft, index): Member => ({ index, ...draft }));
  checkAddresses(members);
  checkTokens(members);
  const datacenters = groupByPlace(members);
  checkReplicas(datacenters);
  const slices = readSlices(options, distribution, datacenters);
  return {
    cluster,
    hash,
    hashTag,
    distribution,
    members,
    datacenters,
    self: members[drafts.indexOf(own)]!,
    slices,
    digest: digestOf([
      ["ringlet topology 1", cluster, hash, distribution, ...(hashTag ?? []).map(String)],
      ...members.map(({ datacenter, rack, tokenTexts }) => [datacenter, rack, ...tokenTexts]),
      ...slices.flatMap(({ slices }) =>
        slices.map(({ end, member }) => [String(end), String(member.index)]),
      ),
    ]),
  };
}

type Draft = Omit<Member, "index">;

function ownSeed(options: ClusterOptions): Seed {
  const { tokens } = options;
  return {
    address: options.advertise ?? options.listen,
    datacenter: options.datacenter ?? DEFAULT_DATACENTER,
    rack: options.rack ?? DEFAULT_RACK,
    tokens: typeof tokens === "string" ? splitTokens(tokens) : tokens,
  };
}

function readMember(seed: Seed, hash: HashName): Draft {
  const { address, tokens: texts } = seed;
  const datacenter = checkName("datacenter", seed.datacenter);
  const rack = checkName("rack", seed.rack);
  if (texts.length > MAX_TOKENS_PER_MEMBER) {
    throw new RingletError(
      "TOO_MANY_TOKENS",
      `${formatHostPort(address)} has ${texts.length} tokens, more than ${MAX_TOKENS_PER_MEMBER}: give it fewer`,
    );
  }
  const tokens = texts
    .map((text) => readToken(text, hash, address))
    .sort((a, b) => compareBigints(ringPosition(a), ringPosition(b)));
  return { address, datacenter, rack, tokens, tokenTexts: tokens.map(formatToken) };
}

function readToken(text: string, hash: HashName, address: PeerAddress): Token {
  try {
    return parseToken(text, wordsOf(hash));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new RingletError("BAD_TOKEN", `${formatHostPort(address)}: ${error.message}`, {
      cause: error,
    });
  }
}

function formatToken({ signum, words }: Token): string {
  const value = words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return signum === NEGATIVE_SIGNUM ? `-${value}` : String(value);
}

function isSame(a: Draft, b: Draft): boolean {
  return (
    a.datacenter === b.datacenter &&
    a.rack === b.rack &&
    a.address.host === b.address.host &&
    a.address.port === b.address.port &&
    a.tokenTexts.join(",") === b.tokenTexts.join(",")
  );
}

function byPlace(a: Draft, b: Draft): number {
  return (
    compareTexts(a.datacenter, b.datacenter) ||
    compareTexts(a.rack, b.rack) ||
    compareBigints(ringPosition(a.tokens[0]!), ringPosition(b.tokens[0]!))
  );
}

/** By code units: the same order in every locale. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareBigints(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function groupByPlace(members: readonly Member[]): Datacenter[] {
  const datacenters = new Map<string, Map<string, Member[]>>();
  for (const member of members) {
    const racks = datacenters.get(member.datacenter) ?? new Map<string, Member[]>();
    datacenters.set(member.datacenter, racks);
    racks.set(member.rack, [...(racks.get(member.rack) ?? []), member]);
  }
  return [...datacenters].map(([name, racks]) => ({
    name,
    racks: [...racks].map(([rack, inRack]) => ({ name: rack, members: inRack })),
  }));
}

/** The name of a cluster, datacenter or rack. Throws RingletError BAD_NAME. */
export function checkName(what: string, name: string): string {
  if (name.length <= MAX_NAME_LENGTH && /^[^\s:$|,\p{Cc}]+$/u.test(name)) return name;
  throw new RingletError(
    "BAD_NAME",
    `${shown(name)} is no name of a ${what}: use 1 to ${MAX_NAME_LENGTH} characters, without space and : $ | ,`,
  );
}

function checkHash(hash: string): HashName {
  const found = HASH_NAMES.find((name) => name === hash);
  if (found !== undefined) return found;
  throw new RingletError(
    "BAD_HASH",
    `there is no hash function ${shown(hash)}: use one of ${HASH_NAMES.join(", ")}`,
  );
}

function checkDistribution(distribution: string): Distribution {
  const found = DISTRIBUTIONS.find((name) => name === distribution);
  if (found !== undefined) return found;
  throw new RingletError(
    "BAD_DISTRIBUTION",
    `there is no distribution ${shown(distribution)}: use one of ${DISTRIBUTIONS.join(", ")}`,
  );
}

function checkSecret(secret: string | undefined): void {
  if (secret === undefined || secret.length >= MIN_SECRET_LENGTH) return;
  throw new RingletError(
    "BAD_SECRET",
    `the secret of the cluster has ${secret.length} characters: use at least ${MIN_SECRET_LENGTH} random ones, or none for open links`,
  );
}

function readHashTag(tag: string | undefined): Topology["hashTag"] {
  if (tag === undefined || tag === "") return undefined;
  if (!/^[\x21-\x7e]{2}$/.test(tag)) {
    throw new RingletError(
      "BAD_HASH_TAG",
      `${shown(tag)} is no hash tag: give the two ASCII characters that open and close it, as in {}`,
    );
  }
  return [tag.charCodeAt(0), tag.charCodeAt(1)];
}

function readSlices(
  options: ClusterOptions,
  distribution: Distribution,
  datacenters: readonly Datacenter[],
): RackSlices[] {
  if (distribution === "random_slicing") return buildSlices(options.slices ?? [], datacenters);
  if (options.slices === undefined || options.slices.length === 0) return [];
  throw new RingletError(
    "BAD_SLICES",
    "slices are given, but the distribution is vnode: set it to random_slicing, or leave them out",
  );
}

function checkAddresses(members: readonly Member[]): void {
  const seen = new Map<string, Member>();
  for (const member of members) {
    const address = formatHostPort(member.address);
    const other = seen.get(address);
    if (other !== undefined) {
      throw new RingletError(
        "DUPLICATE_ADDRESS",
        `${address} is the address of two members, with the tokens ${other.tokenTexts} and ${member.tokenTexts}: correct one of them`,
      );
    }
    seen.set(address, member);
  }
}

function checkTokens(members: readonly Member[]): void {
  const seen = new Map<string, Member>();
  for (const member of members) {
    for (const [i, token] of member.tokens.entries()) {
      const place = `${member.datacenter}:${member.rack}:${ringPosition(token)}`;
      const other = seen.get(place);
      if (other !== undefined) {
        throw new RingletError(
          "DUPLICATE_TOKEN",
          `token ${member.tokenTexts[i]} is there twice in rack ${member.rack} of ${member.datacenter}, at ${formatHostPort(other.address)} and ${formatHostPort(member.address)}: every token of a rack must be another`,
        );
      }
      seen.set(place, member);
    }
  }
}

function checkReplicas(datacenters: readonly Datacenter[]): void {
  for (const { name, racks } of datacenters) {
    const links = racks.length - 1 + datacenters.length - 1;
    if (links > MAX_LINKS_PER_SET) {
      throw new RingletError(
        "TOO_MANY_REPLICAS",
        `a key has ${racks.length} replicas in ${name} (one for each rack) and there are ${datacenters.length - 1} other datacenters: a node writes to at most ${MAX_LINKS_PER_SET}, so use fewer racks or datacenters`,
      );
    }
  }
}
