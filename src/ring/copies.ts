/**
 * Range copy: asks other replicas for the records that CatchUp wants, page by page, and serves such pages. A page is a row of WRITE
 * and FLOOR frames, applied by stamp, so that it does no harm to copy twice or while clients write.
 *
 *   request    0 u8 database   1 u8[3] 0   4 u32 cursor   8 u64 oldest stamp that is wanted
 *   response   0 u8 database to go on in, 16: all is sent   1 u8[3] 0   4 u32 cursor   8 frames
 */
import { RingletError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { decodeWrite, FRAME } from "../link/frame.ts";
import type { Applied } from "../store/apply.ts";
import { DATABASES } from "../store/kernel.ts";
import type { CatchUp, Copy } from "./catch-up.ts";
import { REQUEST_KIND, type RingPort } from "./port.ts";

/** Whose records are copied: those of a store in this process, or of a server behind the node. */
export interface RecordPages {
  /** A page for the member `link`; `body` has the length of a request. */
  serve(link: number, body: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Applies frames by stamp, in the order in which they come; what became of each. Throws, or rejects, where there is no room. */
  apply(frames: readonly Uint8Array[]): readonly Applied[] | Promise<readonly Applied[]>;
}

export interface CopiesParts {
  readonly ring: RingPort;
  readonly pages: RecordPages;
  readonly catchUp: CatchUp;
  readonly log: Logger;
  /** How long one page may take. */
  readonly timeoutMs: number;
  /** Records with at least this stamp were new here and came from another datacenter. */
  brought(oldest: bigint): void;
  /** A record was not applied because its stamp is too far ahead. */
  refused(stamp: bigint): void;
  /** A copy is complete: what CatchUp says may have changed. */
  changed(): void;
}

/** Bytes of a request, and of what is in front of the frames of a page. */
export const PAGE_FORMAT = { request: 16, header: 8 } as const;

export class Copies {
  readonly #parts: CopiesParts;
  #stopped = false;
  /** Records that were applied, and pages that were served. */
  records = 0;
  pagesServed = 0;

  constructor(parts: CopiesParts) {
    this.#parts = parts;
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
    const { catchUp, log } = this.#parts;
    const { index } = copy.from;
    const isWhole = catchUp.remembers(index);
    this.#copy(copy).then(
      () => {
        catchUp.copied(index, isWhole);
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
    const body = new Uint8Array(PAGE_FORMAT.request);
    new DataView(body.buffer).setBigUint64(8, since, true);
    for (;;) {
      const page = await ring.request(from, REQUEST_KIND.copy, body, timeoutMs);
      if (this.#stopped) throw new RingletError("CLOSED", "the node is closing");
      if (page.length < PAGE_FORMAT.header) {
        throw new RingletError("BAD_PAGE", "a page of a range copy is too short to be one");
      }
      const oldest = await this.#apply(page);
      if (oldest !== undefined && !isLocal) this.#parts.brought(oldest);
      if (page[0]! >= DATABASES) return;
      body.set(page.subarray(0, PAGE_FORMAT.header));
    }
  }

  /** Applies the frames of a page; the oldest stamp of those that were new here. */
  async #apply(page: Uint8Array): Promise<bigint | undefined> {
    const { pages } = this.#parts;
    const frames = framesOf(page).filter((frame) => this.#isOurs(frame));
    const applied = pages.apply(frames);
    const outcomes = applied instanceof Promise ? await applied : applied;
    let oldest: bigint | undefined;
    this.records += frames.length;
    for (const [i, outcome] of outcomes.entries()) {
      const stamp = stampOf(frames[i]!);
      if (outcome === "refused") this.#parts.refused(stamp);
      else if (outcome === "equal" || outcome === "stale") continue;
      else if (oldest === undefined || stamp < oldest) oldest = stamp;
    }
    return oldest;
  }

  #isOurs(frame: Uint8Array): boolean {
    const { ring } = this.#parts;
    if (frame[4] !== FRAME.write) return frame[4] === FRAME.floor;
    return ring.replicasOf(decodeWrite(frame).key).local.includes(ring.topology.self);
  }

  #serve(link: number, body: Uint8Array): Uint8Array | Promise<Uint8Array> {
    if (body.length !== PAGE_FORMAT.request || body[0]! >= DATABASES) {
      throw new RingletError("BAD_REQUEST", "a request for a range copy is malformed");
    }
    this.pagesServed++;
    return this.#parts.pages.serve(link, body);
  }
}

/** The frames of a page. Throws RingletError BAD_PAGE. */
function framesOf(page: Uint8Array): Uint8Array[] {
  const data = new DataView(page.buffer, page.byteOffset, page.length);
  const frames: Uint8Array[] = [];
  let at: number = PAGE_FORMAT.header;
  while (at < page.length) {
    const length = at + 4 <= page.length ? data.getUint32(at, true) : 0;
    if (length < MIN_FRAME_BYTES || at + length > page.length) {
      throw new RingletError("BAD_PAGE", "a page of a range copy has a frame that is none");
    }
    frames.push(page.subarray(at, at + length));
    at += length;
  }
  return frames;
}

function stampOf(frame: Uint8Array): bigint {
  return new DataView(frame.buffer, frame.byteOffset, frame.length).getBigUint64(8, true);
}

/** Shortest frame of a page: a FLOOR. */
const MIN_FRAME_BYTES = 24;
