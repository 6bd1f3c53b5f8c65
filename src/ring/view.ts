/** What operators see of a ring: its members and how they are, as one node knows them, and what that node has counted. */
import type { HistogramCounts } from "../base/histogram.ts";
import { formatHostPort } from "../base/host-port.ts";
import type { LinkCounters } from "../link/counters.ts";
import type { RingFigure } from "../store/kernel-ring.ts";
import type { ConsistencyLevel } from "./levels.ts";
import { type Placement, sharesOf } from "./placement.ts";
import type { Member } from "./topology.ts";

/**
 * "up"; "fenced": it lacks its last store epoch, so it takes writes, answers no reads and copies its ranges; "catching-up": it copies
 * what it may have missed, and answers reads; "down".
 */
export const MEMBER_STATES = ["up", "catching-up", "fenced", "down"] as const;

export type MemberState = (typeof MEMBER_STATES)[number];

/** A member as the node that tells of it sees it. */
export interface MemberView {
  readonly member: Member;
  readonly state: MemberState;
  /** Since when it has been up or down, in ms since the epoch. */
  readonly since: number;
  /** Why it is down, as far as the node knows. */
  readonly reason: string | undefined;
  /** Identity of what it holds. */
  readonly epoch: string | undefined;
  /** What follows is of the session with it; undefined where there is none. */
  readonly link:
    | {
        readonly rttMs: number | undefined;
        /** How far its clock is ahead, in ms. */
        readonly clockOffsetMs: number;
        /** Requests that it has not answered. */
        readonly pendingRequests: number;
        /** Bytes that wait to leave. */
        readonly queuedBytes: number;
        readonly isEncrypted: boolean;
      }
    | undefined;
}

/** How long requests of clients waited for other members. */
export interface LatencyView {
  readonly level: ConsistencyLevel;
  readonly operation: "read" | "write";
  readonly counts: HistogramCounts;
}

export interface RingView {
  readonly placement: Placement;
  /** Why the node coordinates no requests; undefined: it does. */
  readonly refusal: string | undefined;
  readonly isFenced: boolean;
  /** Whether the node has just started, and waits for a quorum of the replicas of every range to be reached. */
  readonly isGathering: boolean;
  /** Whether the node reaches a quorum of the replicas of no range. */
  readonly isCutOff: boolean;
  /** Every member, the node itself too, in the order of their indexes. */
  members(): readonly MemberView[];
  /** What the kernel has counted, by name; `plus`: position among several of that name. */
  figure(name: RingFigure, plus?: number): number;
  readonly linkCounters: LinkCounters;
  /** Records that the node has copied to catch up, and pages of records that it has served to others. */
  readonly copiedRecords: number;
  readonly servedPages: number;
  latencies(): readonly LatencyView[];
}

/** The page /ring: a view as JSON, which `ringlet ring` and `ringlet status` read. */
export interface RingDescription {
  readonly cluster: string;
  readonly digest: string;
  readonly hash: string;
  /** The two characters; empty for none. */
  readonly hashTag: string;
  readonly distribution: string;
  readonly coordinating: boolean;
  /** Why it does not coordinate; empty where it does. */
  readonly refusal: string;
  readonly fenced: boolean;
  /** Index of the node that tells this. */
  readonly self: number;
  readonly members: readonly MemberDescription[];
}

export interface MemberDescription {
  readonly index: number;
  readonly datacenter: string;
  readonly rack: string;
  readonly address: string;
  readonly tokens: readonly string[];
  /** Of the ring, in its rack: 0 to 1. */
  readonly share: number;
  readonly state: MemberState;
  readonly since: number;
  readonly reason: string | null;
  readonly epoch: string | null;
  readonly rttMs: number | null;
  readonly clockOffsetMs: number | null;
  readonly pendingRequests: number | null;
  readonly queuedBytes: number | null;
  readonly encrypted: boolean | null;
}

export function describeRing(view: RingView): RingDescription {
  const { topology } = view.placement;
  const shares = sharesOf(view.placement);
  return {
    cluster: topology.cluster,
    digest: topology.digest,
    hash: topology.hash,
    hashTag: String.fromCharCode(...(topology.hashTag ?? [])),
    distribution: topology.distribution,
    coordinating: view.refusal === undefined,
    refusal: view.refusal ?? "",
    fenced: view.isFenced,
    self: topology.self.index,
    members: view.members().map(({ member, state, since, reason, epoch, link }) => ({
      index: member.index,
      datacenter: member.datacenter,
      rack: member.rack,
      address: formatHostPort(member.address),
      tokens: member.tokenTexts,
      share: shares.get(member)!,
      state,
      since,
      reason: reason ?? null,
      epoch: epoch ?? null,
      rttMs: link?.rttMs ?? null,
      clockOffsetMs: link?.clockOffsetMs ?? null,
      pendingRequests: link?.pendingRequests ?? null,
      queuedBytes: link?.queuedBytes ?? null,
      encrypted: link?.isEncrypted ?? null,
    })),
  };
}

/** The page /cluster_describe of the C engine: a member's name and host are its host, `token` its first token as a number. */
export function describeCluster({ placement }: RingView): unknown {
  return {
    dcs: placement.topology.datacenters.map(({ name, racks }) => ({
      name,
      racks: racks.map((rack) => ({
        name: rack.name,
        servers: rack.members.map(({ address, tokenTexts }) => ({
          name: address.host,
          host: address.host,
          port: address.port,
          token: jsonToken(tokenTexts[0]!),
        })),
      })),
    })),
  };
}

/** A number where JSON can hold it exactly, else its digits. */
function jsonToken(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}
