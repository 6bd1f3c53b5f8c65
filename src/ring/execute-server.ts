// Runs commands that other nodes have this one run.

import type { Command } from "../store/commands/command.ts";
import { partsOf } from "./command-keys.ts";
import { decodeExecute, type ExecuteRequest, type RequestId } from "./execute-request.ts";
import type { Executor } from "./executor.ts";
import { FieldWriter } from "./fields.ts";
import type { ReplicaCommand } from "./own-copy.ts";
import { REQUEST_KIND } from "./port.ts";
import type { RememberedWrites } from "./remembered-writes.ts";
import type { RingContext } from "./ring-context.ts";
import { notHere, outcomeUnknown } from "./ring-error.ts";
import { type ReplicaSet, withinDatacenter } from "./topology.ts";
import { encodeReplies, joinSets, runTransaction, versionOf } from "./transactions.ts";

const TEXT = new TextEncoder();

export class ExecuteServer {
  readonly #context: RingContext;
  readonly #executor: Executor;
  readonly #remembered: RememberedWrites;

  constructor(context: RingContext, executor: Executor, remembered: RememberedWrites) {
    this.#context = context;
    this.#executor = executor;
    this.#remembered = remembered;
    context.port.onRequest(REQUEST_KIND.execute, ({ link, body, deadline }) =>
      this.#serve(link, decodeExecute(body), deadline),
    );
  }

  /** `link`: number of the asking member. Throws NOT_HERE where nothing was done, and what running it throws. */
  #serve(link: number, request: ExecuteRequest, deadline: number): Promise<Uint8Array> {
    switch (request.kind) {
      case "read":
        return this.#read(request, deadline);
      case "write":
        return this.#once(link, request.id, () =>
          this.#executor.write(this.#commandOf(request, deadline)),
        );
      case "transaction":
        this.#requireEmbedded();
        return this.#once(link, request.id, () => this.#transaction(request, deadline));
      case "versions":
        this.#requireEmbedded();
        return this.#versions(request, deadline);
    }
  }

  async #read(
    request: ExecuteRequest & { readonly kind: "read" },
    deadline: number,
  ): Promise<Uint8Array> {
    this.#requireReadable();
    return this.#executor.read(this.#commandOf(request, deadline));
  }

  async #versions(
    { options, keys }: ExecuteRequest & { readonly kind: "versions" },
    deadline: number,
  ): Promise<Uint8Array> {
    this.#requireReadable();
    const placed = keys.map((key) => ({ database: options.database, key }));
    const reach = { set: this.#setOf(keys), level: options.level, deadline };
    await this.#executor.readNewest(placed, reach);
    const versions = placed.map((key) => TEXT.encode(versionOf(this.#context.store, key)));
    return new FieldWriter().list(versions).done();
  }

  async #transaction(
    request: ExecuteRequest & { readonly kind: "transaction" },
    deadline: number,
  ): Promise<Uint8Array> {
    const { port, local } = this.#context;
    const keys = request.watched.map(({ key }) => key);
    for (const { args } of request.commands) {
      const found = local.find(args);
      if (found === undefined || !fitsArity(found.command, args)) throw unknownHere();
      const parts = partsOf(found.command, args, (key) => port.replicasOf(key));
      keys.push(...parts.flatMap((part) => part.keys));
    }
    const set = this.#setOf(keys);
    return encodeReplies(
      await runTransaction(this.#context, this.#executor, set, request, deadline),
    );
  }

  /** Runs a write that may come more than once. */
  #once(link: number, id: RequestId, run: () => Promise<Uint8Array>): Promise<Uint8Array> {
    if (id.isRetry && id.executorEpoch !== this.#context.port.epoch) {
      return Promise.reject(outcomeUnknown("the executor was started again"));
    }
    const asker = `${link}:${id.epoch}`;
    return this.#remembered.once(asker, id.counter, id.isRetry, async () => {
      this.#requireReadable();
      return run();
    });
  }

  #commandOf(
    request: ExecuteRequest & { readonly kind: "read" | "write" },
    deadline: number,
  ): ReplicaCommand {
    const { args, options } = request;
    const found = this.#context.commands.find(args);
    if (found === undefined || !fitsArity(found.command, args)) throw unknownHere();
    const parts = partsOf(found.command, args, (key) => this.#context.port.replicasOf(key));
    const keys = parts.flatMap((part) => part.keys);
    const set = this.#setOf(keys);
    return {
      ...{ found, args, keys, options, deadline },
      set: options.isOfDatacenter ? withinDatacenter(set) : set,
    };
  }

  /** The replica set of keys that must have one, with this node in it. */
  #setOf(keys: readonly Uint8Array[]): ReplicaSet {
    const { port } = this.#context;
    const hasHashTag = port.topology.hashTag !== undefined;
    const set = joinSets(undefined, keys, (key) => port.replicasOf(key), hasHashTag);
    if (!set?.local.includes(port.topology.self)) {
      throw notHere("the node that was asked holds no replica of the keys");
    }
    return set;
  }

  /** What the table of this process holds is asked for: nothing where a server behind the node holds the keys. */
  #requireEmbedded(): void {
    if (this.#context.commands === this.#context.local) return;
    throw notHere("the node that was asked has a server behind it, which runs no transactions");
  }

  #requireReadable(): void {
    const { port } = this.#context;
    if (!port.isUp(port.topology.self)) {
      throw notHere("the server behind the node that was asked does not answer");
    }
    if (port.isFenced) throw notHere("the node that was asked has not got its data back yet");
    if (port.refusal !== undefined) throw notHere("the node that was asked may not coordinate now");
  }
}

const unknownHere = () => notHere("the node that was asked does not know the command");

function fitsArity({ arity }: Pick<Command, "arity">, args: readonly Uint8Array[]): boolean {
  return arity < 0 ? args.length >= -arity : args.length === arity;
}
