// The keys of a node that keeps them in its own table, as the executor works with them.

import type { Runtime } from "../base/runtime.ts";
import type { Effect } from "../store/effect.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import type { LocalCommands } from "./local-commands.ts";
import type { OwnCopy, PlacedKey, ReplicaCommand, Run } from "./own-copy.ts";
import type { QuorumOutcome, QuorumWishes, RingPort } from "./port.ts";
import type { Member } from "./topology.ts";

export interface EmbeddedCopyParts {
  readonly port: RingPort;
  readonly store: EmbeddedStore;
  readonly runtime: Runtime;
  readonly local: LocalCommands;
}

export class EmbeddedCopy implements OwnCopy {
  readonly #parts: EmbeddedCopyParts;

  constructor(parts: EmbeddedCopyParts) {
    this.#parts = parts;
  }

  read({ found, args, options }: ReplicaCommand): Uint8Array {
    this.#letTimePass();
    return this.#parts.local.run(found, args, options);
  }

  write(command: ReplicaCommand): Run<Uint8Array> {
    return this.runOnce(() => this.read(command));
  }

  /** Runs something that may write, nothing of another client in between: all that it changes has one stamp. */
  runOnce<T>(work: () => T): Run<T> {
    const { store } = this.#parts;
    this.#letTimePass();
    store.beginEffects();
    let effects: readonly Effect[] = [];
    let result: T;
    try {
      result = work();
    } finally {
      effects = store.endEffects();
    }
    return { result, effects };
  }

  readAround(
    { database, key }: PlacedKey,
    need: number,
    wishes: QuorumWishes,
  ): Promise<QuorumOutcome> {
    const { port, store } = this.#parts;
    return port.readAround(database, store.place(key), need, wishes);
  }

  replicate(
    { database, key }: PlacedKey,
    need: number,
    wishes: QuorumWishes,
  ): Promise<QuorumOutcome> {
    const { port, store } = this.#parts;
    return port.replicate(database, store.place(key), need, wishes);
  }

  send(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    wishes: Pick<QuorumWishes, "deadline">,
  ): Promise<QuorumOutcome> {
    return this.#parts.port.send(members, frame, need, wishes);
  }

  #letTimePass(): void {
    this.#parts.store.setNow(this.#parts.runtime.now());
  }
}
