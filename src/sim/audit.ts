/** Reads registers from every node when a run has healed, as a client does, one node after the other. */
import type { ByteStream, StreamHandler } from "../transport/stream.ts";
import type { Transport } from "../transport/transport.ts";
import type { ClientTarget } from "./client/client.ts";
import { type Reply, ReplyReader } from "./client/replies.ts";
import { encodeCommands } from "./client/requests.ts";

/** Sends commands to one node and resolves to their replies. Rejects when the connection is lost. */
export async function askNode(
  transport: Transport,
  target: ClientTarget,
  commands: readonly (readonly string[])[],
): Promise<Reply[]> {
  const stream = await transport.dial(target.address, DIAL_TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    stream.start(new Asking(stream, commands, resolve, reject));
  });
}

const DIAL_TIMEOUT_MS = 2000;

class Asking implements StreamHandler {
  readonly #stream: ByteStream;
  readonly #commands: readonly (readonly string[])[];
  readonly #resolve: (replies: Reply[]) => void;
  readonly #reject: (error: Error) => void;
  readonly #reader = new ReplyReader();
  readonly #replies: Reply[] = [];

  constructor(
    stream: ByteStream,
    commands: readonly (readonly string[])[],
    resolve: (replies: Reply[]) => void,
    reject: (error: Error) => void,
  ) {
    this.#stream = stream;
    this.#commands = commands;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#askNext();
  }

  received(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    const reply = this.#reader.next();
    if (reply === undefined) return;
    this.#replies.push(reply);
    this.#askNext();
  }

  /** One command at a time: many at once may be more than a node takes. */
  #askNext(): void {
    const next = this.#commands[this.#replies.length];
    if (next !== undefined) {
      this.#stream.write(encodeCommands([next]));
      return;
    }
    this.#resolve(this.#replies);
    this.#stream.destroy();
  }

  ended(): void {
    this.#stream.destroy();
  }

  drained(): void {}

  closed(error?: Error): void {
    this.#reject(error ?? new Error("the node closed the connection"));
  }
}
