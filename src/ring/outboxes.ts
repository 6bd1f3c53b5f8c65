/** What goes out over links: the kernel's outbox of each, in one write, and the frames of the host in their place among the kernel's. */
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { LINK, LINK_FLAG, NO_SLOT } from "../store/kernel-ring.ts";
import type { HeldBack } from "./held-back.ts";
import type { Peer, Peers } from "./peers.ts";

export interface OutboxesParts {
  readonly store: EmbeddedStore;
  readonly peers: Peers;
  readonly heldBack: HeldBack;
  /** Something waits to be sent: it leaves at the end of this turn. */
  touch(): void;
}

export class Outboxes {
  readonly #parts: OutboxesParts;

  constructor(parts: OutboxesParts) {
    this.#parts = parts;
  }

  /** Sends what waits for any peer now. */
  flushAll(): void {
    for (const peer of this.#parts.peers.open) this.flush(peer);
  }

  /** Sends what waits for a peer now. */
  flush(peer: Peer): void {
    const { heldBack, store } = this.#parts;
    const { kernel, memory } = store;
    const { session, member } = peer;
    const link = member.index;
    if (session === undefined) return;
    heldBack.sending(session);
    const length = kernel.linkSeal(link) >>> 0;
    if (length !== 0) {
      const address = kernel.linkAddress(link) >>> 2;
      const outbox = memory.words[address + LINK.outbox]!;
      session.send(memory.bytes.subarray(outbox, outbox + length));
      kernel.linkFlushed(link);
    }
    if (peer.session === undefined) return;
    if ((heldBack.settle(session) & LINK_FLAG.overflow) !== 0) session.close("overflow");
  }

  /** flush() by a link's number. */
  flushLink(link: number): void {
    const peer = this.#parts.peers.of(link);
    if (peer !== undefined) this.flush(peer);
  }

  /**
   * Appends one data request to what goes to a link; `slot` waits for its answer. Whether it was sent: what it is not although there
   * is a link, the peer is told to have missed.
   */
  post(link: number, frame: Uint8Array, slot: number = NO_SLOT): boolean {
    const { peers, heldBack } = this.#parts;
    const isSent = this.#append(link, frame, slot);
    if (!isSent && peers.of(link)?.session !== undefined) heldBack.miss(link, frame);
    return isSent;
  }

  /** As post(), for a repair: what made the peer lack it is known, and the next read repairs it as well. */
  repair(link: number, frame: Uint8Array): void {
    this.#append(link, frame, NO_SLOT);
  }

  /** Sends an answer that is longer than an outbox, in its place. */
  sendAnswer(link: number, frame: Uint8Array): void {
    const peer = this.#parts.peers.of(link);
    if (peer === undefined) return;
    this.flush(peer);
    peer.session?.send(frame);
  }

  #append(link: number, frame: Uint8Array, slot: number): boolean {
    const { store, peers } = this.#parts;
    const peer = peers.of(link);
    if (peer?.session === undefined) return false;
    this.#parts.touch();
    const { kernel } = store;
    const { pointer, length } = store.place(frame);
    if (kernel.linkRequest(link, pointer, length, slot) !== 0) return true;
    this.flush(peer);
    if (kernel.linkRequest(link, pointer, length, slot) !== 0) return true;
    // Longer than an outbox: only its place is the kernel's.
    if (kernel.linkRequest(link, 0, 0, slot) === 0) return false;
    peer.session?.send(frame);
    return true;
  }
}
