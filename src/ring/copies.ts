/**
 * Range copy: asks other replicas for the records that CatchUp wants, page by page, and serves such pages. A page is a row of WRITE
 * and FLOOR frames, applied by stamp, so that it does no harm to copy twice or while clients write.
 *
 *   request    0 u8 database   1 u8[3] 0   4 u32 cursor   8 u64 oldest stamp that is wanted
 *   response   0 u8 database to go on in, 16: all is sent   1 u8[3] 0   4 u32 cursor   8 frames
 */
import { RingletError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { concat } from "../codec/concat.ts";
import { decodeWrite, encodeFloor, FRAME, frameHead } from "../link/frame.ts";
import { applyFrame, recordFrames } from "../store/apply.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { DATABASES } from "../store/kernel.ts";
import { ANY_LINK, AUX_LEFT_OUT } from "../store/kernel-ring.ts";
import type { CatchUp, Copy } from "./catch-up.ts";
import { REQUEST_KIND, type RingPort } from "./port.ts";

export interface CopiesParts {
  readonly ring: RingPort;
  readonly store: EmbeddedStore;
  readonly catchUp: CatchUp;
  readonly log: Logger;
  /** Bytes of frames in one page, about, as it is when a page is served. */
  readonly pageBytes: () => number;
  /** How long one page may take. */
  readonly timeoutMs: number;
  /** Records with at least this stamp were new here and came from another datacenter. */
  brought(oldest: bigint): void;
  /** A record was not applied because its stamp is too far ahead. */
  refused(stamp: bigint): void;
  /** A copy is complete: what CatchUp says may have changed. */
  changed(): void;
}

const PAGE_BYTES = 65536;
const HEADER_BYTES = 8;
const REQUEST_BYTES = 16;

export class Copies {
  readonly #parts: CopiesParts;
  /** Where the kernel writes what it copies. */
  #area: number;
  #areaBytes: number;
  #stopped = false;
  /** Records that were applied, and pages that were served. */
  records = 0;
  pagesServed = 0;

  constructor(parts: CopiesParts) {
    this.#parts = parts;
    const pages = Math.ceil(parts.pageBytes() / PAGE_BYTES);
    this.#areaBytes = pages * PAGE_BYTES;
    this.#area = parts.store.kernel.takePages(pages, 1) >>> 0;
    if (this.#area === 0) throw parts.store.outOfMemory();
    parts.ring.onRequest(REQUEST_KIND.copy, ({ link, body }) => this.#serve(link, body));
  }

  /** Begins the copies that are due. */
  begin(): void {
    if (this.#stopped) return;
    for (const copy of this.#parts.catchUp.begin()) this.#run(copy);
  }

  stop(): void {
    this.#stopped = true;
  }

  #run(copy: Copy): void {
    const { ring, catchUp, log } = this.#parts;
    const { index } = copy.from;
    const readable = ring.isReadable(copy.from);
    this.#copy(copy).then(
      () => {
        catchUp.copied(index, readable);
        this.#parts.changed();
        this.begin();
      },
      (error: unknown) => {
        catchUp.failed(index);
        if (!(error instanceof RingletError)) throw error;
        log.debug("A range copy broke off; it is made again.", {
          from: index,
          reason: error.message,
        });
      },
    );
  }

  async #copy({ from, since }: Copy): Promise<void> {
    const { ring, timeoutMs } = this.#parts;
    const isLocal = from.datacenter === ring.topology.self.datacenter;
    const body = new Uint8Array(REQUEST_BYTES);
    new DataView(body.buffer).setBigUint64(8, since, true);
    for (;;) {
      const page = await ring.request(from, REQUEST_KIND.copy, body, timeoutMs);
      if (this.#stopped) throw new RingletError("CLOSED", "the node is closing");
      if (page.length < HEADER_BYTES) {
        throw new RingletError("BAD_PAGE", "a page of a range copy is too short to be one");
      }
      const oldest = this.#apply(page);
      if (oldest !== undefined && !isLocal) this.#parts.brought(oldest);
      if (page[0]! >= DATABASES) return;
      body.set(page.subarray(0, HEADER_BYTES));
    }
  }

  /** Applies the frames of a page; the oldest stamp of those that were new here. */
  #apply(page: Uint8Array): bigint | undefined {
    const { store } = this.#parts;
    const data = new DataView(page.buffer, page.byteOffset, page.length);
    let oldest: bigint | undefined;
    let at = HEADER_BYTES;
    while (at < page.length) {
      const length = at + 4 <= page.length ? data.getUint32(at, true) : 0;
      if (length < MIN_FRAME_BYTES || at + length > page.length) {
        throw new RingletError("BAD_PAGE", "a page of a range copy has a frame that is none");
      }
      const frame = page.subarray(at, at + length);
      at += length;
      if (!this.#isOurs(frame)) continue;
      const outcome = applyFrame(store, frame);
      this.records++;
      const stamp = data.getBigUint64(at - length + 8, true);
      if (outcome === "refused") this.#parts.refused(stamp);
      else if (outcome === "noMemory") throw store.outOfMemory();
      else if (
        outcome !== "equal" &&
        outcome !== "stale" &&
        (oldest === undefined || stamp < oldest)
      ) {
        oldest = stamp;
      }
    }
    store.afterCommand();
    return oldest;
  }

  #isOurs(frame: Uint8Array): boolean {
    const { ring } = this.#parts;
    if (frame[4] !== FRAME.write) return frame[4] === FRAME.floor;
    return ring.replicasOf(decodeWrite(frame).key).local.includes(ring.topology.self);
  }

  #serve(link: number, body: Uint8Array): Uint8Array {
    if (body.length !== REQUEST_BYTES || body[0]! >= DATABASES) {
      throw new RingletError("BAD_REQUEST", "a request for a range copy is malformed");
    }
    const { store, ring } = this.#parts;
    const { kernel, memory } = store;
    const pageBytes = this.#parts.pageBytes();
    const data = new DataView(body.buffer, body.byteOffset, body.length);
    const since = data.getBigUint64(8, true);
    const asker = ring.topology.members[link]!;
    const filter = asker.datacenter === ring.topology.self.datacenter ? link : ANY_LINK;
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
    this.pagesServed++;
    const header = new Uint8Array(HEADER_BYTES);
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

/** Shortest frame of a page: a FLOOR. */
const MIN_FRAME_BYTES = 24;
/** Steps through the table for one page at most: a page of few records must not hold the others up. */
const MAX_STEPS = 64;
