// Reads a request that came before, as the kernel reads it: an array of bulk strings or an inline command.

import type { Arguments } from "../../store/arguments.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import { CONNECTION } from "../../store/kernel.ts";
import { Feeder } from "./feeder.ts";

/** A request that was read. */
export type ReadRequest<T> = T & { readonly args: readonly Uint8Array[] };

export class RequestReader {
  readonly #store: EmbeddedStore;
  #feeder: Feeder | undefined;
  #connection = 0;

  constructor(store: EmbeddedStore) {
    this.#store = store;
  }

  /** The arguments of the one request in `bytes`, and what `look` says about it. Throws where it is none. */
  read<T>(bytes: Uint8Array, look: (args: Arguments) => T): ReadRequest<T> {
    const feeder = this.#open();
    let read: ReadRequest<T> | undefined;
    const client = {
      kernelConnection: this.#connection,
      protocol: 2,
      closing: false,
      mustWait: false,
      mayReplyMuch: () => false,
      execute: (args: Arguments) => {
        const copied = Array.from({ length: args.length }, (_, index) => args.bytes(index));
        read = { ...look(args), args: copied };
        return undefined;
      },
      send: () => {},
    } as const;
    feeder.feed(client, [bytes], bytes.length);
    if (read === undefined) throw new Error("a request that was read before cannot be read");
    return read;
  }

  /** A connection of which the kernel runs nothing itself. */
  #open(): Feeder {
    if (this.#feeder !== undefined) return this.#feeder;
    this.#connection = this.#store.kernel.connectionOpen() >>> 0;
    if (this.#connection === 0) throw this.#store.outOfMemory();
    this.#store.memory.words[this.#connection >>> 2] = CONNECTION.host;
    this.#feeder = new Feeder(this.#store);
    return this.#feeder;
  }
}
