// Feeds what comes over links to the kernel: keeps frames that came in part, and hands on those that the kernel leaves to the host.

import type { EmbeddedStore } from "../store/embedded-store.ts";
import { CONTEXT, type KernelExports } from "../store/kernel.ts";
import { PEER_STATUS } from "../store/kernel-ring.ts";
import type { KernelMemory } from "../store/memory.ts";

/** Who takes what the kernel does not. */
export interface PeerFrames {
  /** A frame for the host, a copy of its own. A data request must be answered before this returns. */
  frame(link: number, frame: Uint8Array): void;
  /** The outbox of a link is full: send it. */
  flushLink(link: number): void;
}

/** What came of a link and is no whole frame yet. */
interface Part {
  readonly chunks: Uint8Array[];
  bytes: number;
  /** How many there must be before it is worth looking at. */
  needed: number;
}

export class PeerFeeder {
  readonly #store: EmbeddedStore;
  readonly #kernel: KernelExports;
  readonly #memory: KernelMemory;
  readonly #frames: PeerFrames;
  /** Address of the context, and the same in words. */
  readonly #context: number;
  readonly #fields: number;
  readonly #parts = new Map<number, Part>();

  constructor(store: EmbeddedStore, frames: PeerFrames) {
    this.#store = store;
    this.#kernel = store.kernel;
    this.#memory = store.memory;
    this.#frames = frames;
    this.#context = store.kernel.contextOpen() >>> 0;
    if (this.#context === 0) throw store.outOfMemory();
    this.#fields = this.#context >>> 2;
  }

  /**
   * Takes bytes that came over a link, cut anywhere. False: they are no frames, and the link must close. Throws OutOfMemory when
   * linear memory cannot take a frame; nothing of it has been done then.
   */
  feed(link: number, bytes: Uint8Array): boolean {
    const part = this.#parts.get(link);
    if (part === undefined) return this.#run(link, [bytes], bytes.length);
    part.chunks.push(bytes.slice());
    part.bytes += bytes.length;
    if (part.bytes < part.needed) return true;
    this.#parts.delete(link);
    return this.#run(link, part.chunks, part.bytes);
  }

  /** Forgets what came in part over a link that is gone. */
  forget(link: number): void {
    this.#parts.delete(link);
  }

  /** Bytes of frames that are not whole yet, of all links. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const part of this.#parts.values()) bytes += part.bytes;
    return bytes;
  }

  #run(link: number, chunks: readonly Uint8Array[], total: number): boolean {
    const input = this.#kernel.inputReserve(this.#context, total) >>> 0;
    if (input === 0) throw this.#store.outOfMemory();
    let at = input;
    for (const chunk of chunks) {
      this.#memory.bytes.set(chunk, at);
      at += chunk.length;
    }
    let status = this.#kernel.peerFeed(this.#context, link, input, total);
    for (;;) {
      if (this.#field(CONTEXT.released) !== 0) this.#store.releaseObjects();
      if (status === PEER_STATUS.host) this.#handOn(link);
      else if (status === PEER_STATUS.outboxFull) this.#frames.flushLink(this.#field(CONTEXT.argc));
      else break;
      status = this.#kernel.peerResume(this.#context);
    }
    if (status === PEER_STATUS.broken) return false;
    this.#keep(link, input, total);
    return true;
  }

  #handOn(link: number): void {
    const start = this.#field(CONTEXT.large);
    const length = this.#field(CONTEXT.largeLength);
    this.#frames.frame(link, this.#memory.bytes.slice(start, start + length));
  }

  #keep(link: number, input: number, total: number): void {
    const consumed = this.#field(CONTEXT.consumed);
    const left = input + total - consumed;
    if (left === 0) return;
    const rest = this.#memory.bytes.slice(consumed, consumed + left);
    this.#parts.set(link, {
      chunks: [rest],
      bytes: left,
      needed: left + this.#field(CONTEXT.wanted),
    });
  }

  #field(index: number): number {
    return this.#memory.words[this.#fields + index]!;
  }
}
