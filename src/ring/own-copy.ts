/** What the executor works with: this node's own copy of the keys, and how it is kept equal to those of the other replicas. */
import type { Effect } from "../store/effect.ts";
import type { RequestOptions } from "./execute-request.ts";
import type { KeyspaceCommand } from "./local-commands.ts";
import type { QuorumOutcome, QuorumWishes } from "./port.ts";
import type { Member, ReplicaSet } from "./topology.ts";

/** A command for keys of one replica set, of which this node is a member. */
export interface ReplicaCommand {
  readonly found: KeyspaceCommand;
  readonly args: readonly Uint8Array[];
  readonly keys: readonly Uint8Array[];
  readonly set: ReplicaSet;
  readonly options: RequestOptions;
  /** When it must have an answer, in ms of Runtime.monotonic(). */
  readonly deadline: number;
}

/** A key of a database. */
export interface PlacedKey {
  readonly database: number;
  readonly key: Uint8Array;
}

/** What running something here has given: its result, and what it changed. */
export interface Run<T> {
  readonly result: T;
  readonly effects: readonly Effect[];
}

/** A store in this process answers at once, a server behind the node with promises. */
export interface OwnCopy {
  /** Runs a command that only reads. */
  read(command: ReplicaCommand): Uint8Array | Promise<Uint8Array>;
  /** Runs a command, nothing of another client in between: all that it changes has one stamp. */
  write(command: ReplicaCommand): Run<Uint8Array> | Promise<Run<Uint8Array>>;
  /** As RingPort.readAround(): what is newer elsewhere is in this copy before it resolves. */
  readAround(key: PlacedKey, need: number, wishes: QuorumWishes): Promise<QuorumOutcome>;
  /** As RingPort.replicate(): sends what this copy holds. */
  replicate(key: PlacedKey, need: number, wishes: QuorumWishes): Promise<QuorumOutcome>;
  /** As RingPort.send(). */
  send(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    wishes: Pick<QuorumWishes, "deadline">,
  ): Promise<QuorumOutcome>;
}
