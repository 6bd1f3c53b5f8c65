// Commands of version 1 peers: a C node sends what its client has sent, and this node does what the C engine would do with it.
//
// REQ: this node alone runs it, since the peer asks the other replicas itself. What it writes gets its stamp here.
// REQ_FORWARD: the peer is in another datacenter, and sends it to no other node of this one: what it writes goes on to the other
// racks, and to no other datacenter.

import { concat } from "../codec/concat.ts";
import { latin1 } from "../store/arguments.ts";
import { wrongArity } from "../store/commands/command.ts";
import type { Effect } from "../store/effect.ts";
import { isSameSet, type Part, partsOf } from "./command-keys.ts";
import type { RequestOptions } from "./execute-request.ts";
import type { Executor } from "./executor.ts";
import { isBlind } from "./kinds-of-writes.ts";
import type { KeyspaceCommand } from "./local-commands.ts";
import type { ReplicaCommand } from "./own-copy.ts";
import { errorReply } from "./reply-parts.ts";
import type { RingContext } from "./ring-context.ts";
import { type ReplicaSet, withinDatacenter } from "./topology.ts";

/** What commands of version 1 peers work with: they know one database, and count their quorums themselves. */
const OPTIONS: RequestOptions = {
  database: 0,
  protocol: 2,
  noTouch: false,
  level: "DC_ONE",
  isOfDatacenter: true,
};

export class PeerCommands {
  readonly #context: RingContext;
  readonly #executor: Executor;
  readonly #runPart: (command: ReplicaCommand) => Promise<Uint8Array>;

  /** `runPart` runs a command for keys of one replica set, wherever that is to be. */
  constructor(
    context: RingContext,
    executor: Executor,
    runPart: (command: ReplicaCommand) => Promise<Uint8Array>,
  ) {
    this.#context = context;
    this.#executor = executor;
    this.#runPart = runPart;
  }

  /** The reply in RESP 2, an error where it failed. `args` must not change later. */
  run(args: readonly Uint8Array[], isForwarded: boolean): Uint8Array | Promise<Uint8Array> {
    const found = this.#context.local.find(args);
    if (found === undefined) return withoutKeyspace(args);
    const { arity } = found.command;
    if (arity < 0 ? args.length < -arity : args.length !== arity) {
      return errorReply(wrongArity(found.name).message);
    }
    if (isForwarded) {
      const parts = partsOf(found.command, args, (key) => this.#context.port.replicasOf(key));
      if (parts.length > 0) return this.#runForwarded(found, args, parts);
    }
    return this.#refusal(found, args) ?? this.#runHere(found, args).reply;
  }

  async #runForwarded(
    found: KeyspaceCommand,
    args: readonly Uint8Array[],
    parts: readonly Part[],
  ): Promise<Uint8Array> {
    const { port, runtime, requestTimeoutMs } = this.#context;
    if (port.refusal !== undefined) return errorReply(port.refusal);
    const [only] = parts;
    if (only === undefined || parts.length > 1) return this.#runWhole(found, args, parts);
    const set = withinDatacenter(only.set);
    const deadline = runtime.monotonic() + requestTimeoutMs();
    return this.#runPart({ found, options: OPTIONS, deadline, ...only, set });
  }

  /** A command whose keys have several owners runs where its first key is, as in the C engine. */
  async #runWhole(
    found: KeyspaceCommand,
    args: readonly Uint8Array[],
    parts: readonly Part[],
  ): Promise<Uint8Array> {
    const refusal = this.#refusal(found, args);
    if (refusal !== undefined) return refusal;
    const { runtime, requestTimeoutMs } = this.#context;
    const { reply, effects } = this.#runHere(found, args);
    const deadline = runtime.monotonic() + requestTimeoutMs();
    if (found.writes) this.#executor.version1.give(parts[0]!.set, args, deadline);
    for (const { set, effects: ofSet } of this.#bySet(effects)) {
      await this.#executor.settle(ofSet, { set, level: "DC_ONE", deadline });
    }
    return reply;
  }

  #bySet(effects: readonly Effect[]): { readonly set: ReplicaSet; readonly effects: Effect[] }[] {
    const groups: { readonly set: ReplicaSet; readonly effects: Effect[] }[] = [];
    for (const effect of effects) {
      const set = withinDatacenter(this.#context.port.replicasOf(effect.key));
      const group = groups.find((one) => isSameSet(one.set, set));
      if (group === undefined) groups.push({ set, effects: [effect] });
      else group.effects.push(effect);
    }
    return groups;
  }

  /** What a node that lacks its data must not do: answer reads, and write what depends on what should be there. */
  #refusal(found: KeyspaceCommand, args: readonly Uint8Array[]): Uint8Array | undefined {
    if (!this.#context.port.isFenced) return undefined;
    if (found.writes && (isBlind(found.name, args) || REMOVING.has(found.name))) return undefined;
    return errorReply(
      "ERR Dynomite: Dynomite's current state does not allow this request (the node copies its data from the other replicas first)",
    );
  }

  #runHere(found: KeyspaceCommand, args: readonly Uint8Array[]) {
    const { local } = this.#context;
    const { result, effects } = this.#context.embedded.runOnce(() =>
      local.run(found, args, OPTIONS),
    );
    return { reply: result, effects };
  }
}

/** Writes that leave nothing, whatever is there. */
const REMOVING: ReadonlySet<string> = new Set(["del", "unlink"]);
/** Commands of scripts, with which C nodes keep their metadata when read_repairs_enabled is set. */
const SCRIPTS: ReadonlySet<string> = new Set(["eval", "evalsha", "script"]);
/** Characters of a command's name that an error repeats. */
const MAX_NAME_BYTES = 64;

/** The reply to a command that is none on keys. */
function withoutKeyspace([first, message]: readonly Uint8Array[]): Uint8Array {
  const word = first?.subarray(0, MAX_NAME_BYTES) ?? new Uint8Array(0);
  const name = latin1(word, 0, word.length).replace(/[^\x21-\x7e]/g, "?");
  switch (name.toLowerCase()) {
    case "ping":
      if (message === undefined) return TEXT.encode("+PONG\r\n");
      return concat([TEXT.encode(`$${message.length}\r\n`), message, TEXT.encode("\r\n")]);
    case "quit":
      // The connection is that of a node, and stays.
      return TEXT.encode("+OK\r\n");
  }
  if (SCRIPTS.has(name.toLowerCase())) {
    return errorReply(
      `ERR Dynomite: '${name}' was not run: this node keeps the data itself and has no scripts; set read_repairs_enabled: false on all nodes`,
    );
  }
  return errorReply(`ERR unknown command '${name}'`);
}

const TEXT = new TextEncoder();
