// The records of this node's own table, page by page, for range copies.

import { concat } from "../codec/concat.ts";
import { decodeWrite, encodeFloor, frameHead } from "../link/frame.ts";
import { type Applied, applyFrame, recordFrames } from "../store/apply.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { DATABASES } from "../store/kernel.ts";
import { ANY_LINK, AUX_LEFT_OUT } from "../store/kernel-ring.ts";
import { PAGE_FORMAT, type RecordPages } from "./copies.ts";
import type { Topology } from "./topology.ts";

export interface EmbeddedPagesParts {
  readonly topology: Topology;
  readonly store: EmbeddedStore;
  /** Bytes of frames in one page, about, as it is when a page is served. */
  readonly pageBytes: () => number;
}

const PAGE_BYTES = 65536;

export class EmbeddedPages implements RecordPages {
  readonly #parts: EmbeddedPagesParts;
  /** Where the kernel writes what it copies. */
  #area: number;
  #areaBytes: number;

  constructor(parts: EmbeddedPagesParts) {
    this.#parts = parts;
    const pages = Math.ceil(parts.pageBytes() / PAGE_BYTES);
    this.#areaBytes = pages * PAGE_BYTES;
    this.#area = parts.store.kernel.takePages(pages, 1) >>> 0;
    if (this.#area === 0) throw parts.store.outOfMemory();
  }

  apply(frames: readonly Uint8Array[]): readonly Applied[] {
    const { store } = this.#parts;
    const outcomes = frames.map((frame) => {
      const outcome = applyFrame(store, frame);
      if (outcome === "noMemory") throw store.outOfMemory();
      return outcome;
    });
    store.afterCommand();
    return outcomes;
  }

  serve(link: number, body: Uint8Array): Uint8Array {
    const { store, topology } = this.#parts;
    const { kernel, memory } = store;
    const pageBytes = this.#parts.pageBytes();
    const data = new DataView(body.buffer, body.byteOffset, body.length);
    const since = data.getBigUint64(8, true);
    const asker = topology.members[link]!;
    const filter = asker.datacenter === topology.self.datacenter ? link : ANY_LINK;
    let database = body[0]!;
    let cursor = data.getUint32(4, true);
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (let steps = 0; steps < MAX_STEPS && database < DATABASES && bytes < pageBytes; steps++) {
      if (cursor === 0) parts.push(...this.#floor(database));
      cursor = this.#walk(database, cursor, since, filter, pageBytes);
      const length = kernel.copiedBytes() >>> 0;
      const frames = memory.bytes.slice(this.#area, this.#area + length);
      const filled = this.#fillIn(frames, parts, pageBytes);
      bytes += filled.bytes;
      if (filled.stoppedAt !== undefined) {
        cursor = filled.stoppedAt;
        break;
      }
      if (cursor === 0) database++;
    }
    const header = new Uint8Array(PAGE_FORMAT.header);
    header[0] = database;
    new DataView(header.buffer).setUint32(4, cursor, true);
    return concat([header, ...parts]);
  }

  /** One step of the kernel's walk; keys of one hash go together, so it may need more room than a page has. */
  #walk(
    database: number,
    cursor: number,
    since: bigint,
    filter: number,
    pageBytes: number,
  ): number {
    const { store } = this.#parts;
    const { kernel } = store;
    let room = Math.min(pageBytes, this.#areaBytes);
    for (;;) {
      const next = kernel.copyWalk(database, cursor, since, filter, this.#area, room) >>> 0;
      const needed = kernel.copyNeeds() >>> 0;
      if (needed === 0) return next;
      // It could not be had what it needs for itself.
      if (needed <= room) throw store.outOfMemory();
      room = needed;
      this.#enlarge(room);
    }
  }

  #enlarge(bytes: number): void {
    if (bytes <= this.#areaBytes) return;
    const { store } = this.#parts;
    const { kernel } = store;
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const larger = kernel.takePages(pages, 1) >>> 0;
    if (larger === 0) throw store.outOfMemory();
    kernel.freePages(this.#area, this.#areaBytes / PAGE_BYTES);
    this.#area = larger;
    this.#areaBytes = pages * PAGE_BYTES;
  }

  #floor(database: number): Uint8Array[] {
    const { kernel } = this.#parts.store;
    const stamp = BigInt.asUintN(64, kernel.floorOf(database));
    if (stamp === 0n) return [];
    return [encodeFloor({ database, stamp, node: kernel.floorNodeOf(database) })];
  }

  /**
   * Puts frames into `parts`, and what the kernel leaves out: the values of host objects, and of what is larger than a page. They
   * may be long: where there are `pageBytes`, it stops, and says from which cursor to go on.
   */
  #fillIn(
    frames: Uint8Array,
    parts: Uint8Array[],
    pageBytes: number,
  ): { bytes: number; stoppedAt?: number } {
    const { store } = this.#parts;
    let bytes = 0;
    let start = 0;
    let at = 0;
    let hashBefore = -1;
    const take = (part: Uint8Array) => {
      parts.push(part);
      bytes += part.length;
    };
    while (at < frames.length) {
      const { length, aux } = frameHead(frames, at);
      const end = at + length;
      if (aux === AUX_LEFT_OUT) {
        take(frames.subarray(start, at));
        start = end;
        const { database, key } = decodeWrite(frames.subarray(at, end));
        const hash = this.#hashOf(database, key);
        // Keys of one hash go together: the cursor is a hash.
        if (bytes > pageBytes && hash !== undefined && hash !== hashBefore) {
          return { bytes, stoppedAt: hash };
        }
        hashBefore = hash ?? hashBefore;
        for (const whole of recordFrames(store, database, key)) take(whole);
      }
      at = end;
    }
    take(frames.subarray(start));
    return { bytes };
  }

  /** Where the walk meets a key; undefined when it is gone. */
  #hashOf(database: number, key: Uint8Array): number | undefined {
    const { kernel, memory } = this.#parts.store;
    const { pointer, length } = this.#parts.store.place(key);
    const record = kernel.hostPeek(database, pointer, length) >>> 0;
    return record === 0 ? undefined : memory.words[record >>> 2]!;
  }
}

/** Steps through the table for one page at most: a page of few records must not hold the others up. */
const MAX_STEPS = 64;
