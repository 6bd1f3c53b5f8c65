/** What the ring's driver offers to the code that runs requests of the host: the coordinator, the executor, catch-up. */
import type { Key } from "../store/database.ts";
import type { Member, ReplicaSet, Topology } from "./topology.ts";

/** How a quorum operation ended. */
export interface QuorumOutcome {
  /** Whether `need` replicas have acknowledged in time. */
  readonly ok: boolean;
  /** Acknowledgements of other replicas that came, and how many were needed. */
  readonly got: number;
  readonly need: number;
  /** Whether a replica refused because it holds something newer. */
  readonly stale: boolean;
}

/** What a quorum operation may differ in. */
export interface QuorumWishes {
  /** These members, and no others, instead of the other replicas in this datacenter. */
  readonly among?: readonly Member[] | undefined;
  /** When it fails at the latest, in ms of Runtime.monotonic(); `requestTimeoutMs` from now by default. */
  readonly deadline?: number | undefined;
}

/** Kinds of host requests between nodes (REQUEST frames). */
export const REQUEST_KIND = {
  /** Runs a client's command at the receiver, its executor or a replica to read from. */
  execute: 1,
  /** A page of records for catch-up. */
  copy: 2,
  /** A part of what a command over all owners asks: SCAN, KEYS, DBSIZE, RANDOMKEY. */
  gather: 3,
  /** What a node says of itself: ring and status of operators. */
  describe: 4,
  /** Tells the receiver from which stamp on it lacks records that could not be sent to it: a u64. The answer is empty. */
  missed: 5,
  /** Data frames for a replica with a server behind it. */
  data: 6,
} as const;

/** Answers a host request: body of the response. Throws RingletError: its code and message reach the asker. */
export type RequestHandler = (request: {
  readonly link: number;
  readonly body: Uint8Array;
  /** When the asker stops waiting, in ms of Runtime.monotonic(). */
  readonly deadline: number;
}) => Uint8Array | Promise<Uint8Array>;

export interface RingPort {
  readonly topology: Topology;
  /** Every replica set; replicasOf() answers one of these. */
  readonly sets: readonly ReplicaSet[];
  /** Identity of what this node holds: another one after a start. */
  readonly epoch: string;
  /** Whether this node may coordinate now; else why not, as the text of an error. */
  readonly refusal: string | undefined;
  /** Whether this node lacks its last store epoch: it takes writes and answers no read. */
  readonly isFenced: boolean;
  /**
   * The newest stamp that this node may have acknowledged before it lost its memory: it acknowledges no write at or below. 0n: it has
   * lost none; NOT_TOLD: what the others would tell is not known yet, and its own share of a write counts for nothing.
   */
  readonly forgotten: bigint;
  /** Whether a session with a member is open; of this node, whether the server behind it answers, if it has one. */
  isUp(member: Member): boolean;
  /**
   * Whether a member answers reads, as far as this node knows: of another one it may hear a moment later than that one answers,
   * so it decides whom to ask first, and never that nobody can be asked.
   */
  isReadable(member: Member): boolean;
  /** The epoch that a member has said of itself in its open session; this node's own. */
  epochOf(member: Member): string | undefined;
  /** Whether a member has shown itself to be a node of the C engine, and whether it is connected; undefined: it has not. */
  version1(member: Member): "up" | "down" | undefined;
  /**
   * Sends such a member a command, REQ or REQ_FORWARD; resolves to its reply in RESP 2. Rejects with RingletError LINK_DOWN (it was not
   * sent), LINK_LOST or DEADLINE (whether it ran is unknown).
   */
  sendVersion1(
    member: Member,
    args: readonly Uint8Array[],
    isForwarded: boolean,
    deadlineMs: number,
  ): Promise<Uint8Array>;
  /** The replicas of a key. */
  replicasOf(key: Uint8Array): ReplicaSet;
  /**
   * Sends a host request and resolves to the response's body. Rejects with RingletError: LINK_DOWN (it was not sent),
   * LINK_LOST (it was sent; whether it ran is unknown), DEADLINE (the same), or the peer's own code.
   */
  request(member: Member, kind: number, body: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  onRequest(kind: number, handler: RequestHandler): void;
  /**
   * Sends the record of a key, or its tombstone, to the other replicas (and on to the other datacenters); resolves when `need` of
   * those in this datacenter hold it, or something newer, or cannot any more.
   */
  replicate(
    database: number,
    key: Key,
    need: number,
    wishes?: QuorumWishes,
  ): Promise<QuorumOutcome>;
  /**
   * Has `need` other replicas tell whether they hold something newer, which is merged into the table before it resolves. All that
   * are up are asked: one that is fenced refuses.
   */
  readAround(
    database: number,
    key: Key,
    need: number,
    wishes?: QuorumWishes,
  ): Promise<QuorumOutcome>;
  /**
   * Sends one data request (a whole frame, see link/frame.ts) to each of `members`; resolves when `need` have acknowledged it, which
   * one that holds something newer does not, or cannot any more.
   */
  send(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    wishes?: Pick<QuorumWishes, "deadline">,
  ): Promise<QuorumOutcome>;
}
