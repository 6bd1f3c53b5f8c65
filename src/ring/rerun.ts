// Runs commands again that the kernel began: as the executor it ran one on what it held, and a replica held something newer.

import { recordStamp } from "../store/apply.ts";
import type { Executor, ReplicaCommand } from "./executor.ts";
import { requireReach } from "./quorum.ts";
import type { RingContext } from "./ring-context.ts";

export class Rerun {
  readonly #context: RingContext;
  readonly #executor: Executor;

  constructor(context: RingContext, executor: Executor) {
    this.#context = context;
    this.#executor = executor;
  }

  /**
   * Reads the newest of a quorum. Where that has replaced what the first run wrote, the command runs once more, on it. Where what
   * is there was written by this node, it comes from the first run or is built on it: it goes to a quorum, and the first reply
   * stands (undefined). Throws QuorumFailure.
   */
  async run(command: ReplicaCommand): Promise<Uint8Array | undefined> {
    const { set, options, keys } = command;
    requireReach(set, options.level, this.#context.port.topology.self, (member) =>
      this.#context.port.isUp(member),
    );
    const placed = keys.map((key) => ({ database: options.database, key }));
    await this.#executor.readNewest(placed, set, options.level);
    const { port, store } = this.#context;
    const isOwn = placed.every(
      ({ database, key }) => recordStamp(store, database, key)?.node === port.topology.self.index,
    );
    if (!isOwn) return this.#executor.write(command);
    await this.#executor.hold(placed, set, options.level);
    return undefined;
  }
}
