// Runs commands that the node has kept for a client: queued in MULTI, or held back while clients were paused. They go through
// feeders of their own, so that the kernel answers what it can.

import { ReplyTooLong, type RespWriter } from "../../codec/resp-writer.ts";
import type { Arguments } from "../../store/arguments.ts";
import { type EmbeddedStore, OutOfMemory } from "../../store/embedded-store.ts";
import { encodeRequest, Feeder, type LaterReply } from "./feeder.ts";
import type { Session } from "./session.ts";

export class KeptCommands {
  readonly #store: EmbeddedStore;
  readonly #free: Feeder[] = [];

  constructor(store: EmbeddedStore) {
    this.#store = store;
  }

  /**
   * Runs one command of a session and writes its reply, or returns a promise of it. `execute` runs it where the kernel hands it
   * over.
   */
  run(
    session: Session,
    command: readonly Uint8Array[],
    reply: RespWriter,
    execute: (args: Arguments, reply: RespWriter) => LaterReply | undefined,
  ): LaterReply | undefined {
    const request = encodeRequest(command);
    const before = reply.length;
    const feeder = this.#free.pop() ?? new Feeder(this.#store);
    const client = {
      kernelConnection: session.kernelConnection,
      get protocol() {
        return session.protocol;
      },
      closing: false,
      mustWait: false,
      mayReplyMuch: () => false,
      execute,
      send: (bytes: Uint8Array) => reply.raw(bytes),
    };
    try {
      return feeder.feed(client, [request], request.length).later;
    } catch (error) {
      if (error instanceof ReplyTooLong) reply.errorInstead(before, replyTooLong(reply));
      else if (error instanceof OutOfMemory) reply.error(`${error.code} ${error.message}`);
      else throw error;
      return undefined;
    } finally {
      this.#free.push(feeder);
    }
  }
}

/** The error in the place of a reply that was too long. */
export function replyTooLong({ limitBytes }: RespWriter): string {
  return `ERR the command was run, but its reply is longer than ${limitBytes} bytes (client-output-buffer-limit) and was dropped: ask for less at a time`;
}
