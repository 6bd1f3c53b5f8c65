// The replies of clients that wait for acknowledgements: the typed face of the kernel's streams.

import type { EmbeddedStore } from "../store/embedded-store.ts";

/** Who sends replies that need not wait any more, by the address of the client's connection in the kernel. */
export interface ReplySink {
  /** The bytes are there until this returns. */
  release(connection: number, bytes: Uint8Array): void;
  /** No reply of the connection waits any more. */
  released(connection: number): void;
}

/** Pages that replies of the host go through on their way into a stream, and that released ones are gathered in. */
const AREA_PAGES = 4;
const AREA_BYTES = AREA_PAGES * 65536;

export class ReplyGates {
  readonly #store: EmbeddedStore;
  readonly #area: number;
  readonly #sinks: ReplySink[] = [];
  /** Who waits until no reply of a connection does. */
  readonly #waiters = new Map<number, (() => void)[]>();

  constructor(store: EmbeddedStore) {
    this.#store = store;
    this.#area = store.kernel.takePages(AREA_PAGES, 1) >>> 0;
    if (this.#area === 0) throw store.outOfMemory();
  }

  /** Tells `sink` of all replies that are released: each sink sends those of the connections that it knows. */
  onRelease(sink: ReplySink): void {
    this.#sinks.push(sink);
  }

  /** Whether replies of a connection wait, so that whatever it is sent must go behind them. */
  isGated(connection: number): boolean {
    return this.#store.kernel.connectionGated(connection) !== 0;
  }

  /** Resolves when no reply of a connection waits any more, or the connection is gone. */
  settled(connection: number): Promise<void> {
    if (!this.isGated(connection)) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(connection);
      if (waiters === undefined) this.#waiters.set(connection, [resolve]);
      else waiters.push(resolve);
    });
  }

  /** A connection is gone: nobody waits for it any more. */
  forget(connection: number): void {
    const waiters = this.#waiters.get(connection);
    if (waiters === undefined) return;
    this.#waiters.delete(connection);
    for (const resolve of waiters) resolve();
  }

  /** Bytes of a connection that wait. */
  waitingBytes(connection: number): number {
    return this.#store.kernel.streamBytes(connection) >>> 0;
  }

  /** Puts reply bytes behind those that wait. Throws OutOfMemory when the kernel has no room for them. */
  append(connection: number, bytes: Uint8Array): void {
    const { kernel, memory } = this.#store;
    if (bytes.buffer === memory.bytes.buffer) {
      this.#append(connection, bytes.byteOffset, bytes.length);
      return;
    }
    for (let at = 0; at < bytes.length; at += AREA_BYTES) {
      const piece = bytes.subarray(at, at + AREA_BYTES);
      memory.bytes.set(piece, this.#area);
      this.#append(connection, this.#area, piece.length);
    }
    kernel.hostMaintain();
  }

  /** Answers a slot that the kernel has left to the host. */
  fulfil(slot: number, reply: Uint8Array): void {
    const { kernel, memory } = this.#store;
    const key = reply.length <= AREA_BYTES ? this.#area : this.#store.place(reply).pointer;
    if (key === this.#area) memory.bytes.set(reply, key);
    kernel.slotFulfil(slot, key, reply.length);
  }

  /** Sends everything that need not wait. Call it when the frames of the turn have been sent. */
  release(): void {
    const { kernel, memory } = this.#store;
    for (;;) {
      const connection = kernel.nextReady() >>> 0;
      if (connection === 0) return;
      for (;;) {
        const length = kernel.streamTake(connection, this.#area, AREA_BYTES) >>> 0;
        if (length === 0) break;
        const bytes = memory.bytes.subarray(this.#area, this.#area + length);
        for (const sink of this.#sinks) sink.release(connection, bytes);
        if (length < AREA_BYTES) break;
      }
      if (this.isGated(connection)) continue;
      for (const sink of this.#sinks) sink.released(connection);
      this.forget(connection);
    }
  }

  #append(connection: number, pointer: number, length: number): void {
    if (this.#store.kernel.streamAppend(connection, pointer, length) === 0) {
      throw this.#store.outOfMemory();
    }
  }
}
