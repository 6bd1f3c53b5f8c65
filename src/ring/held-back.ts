/**
 * What is not sent over links that cannot take it. A link takes no more requests while too many are unanswered, too much waits to
 * leave, or what is sent would arrive too late; it is not cut for that. Each peer is told from which stamp on it lacks what it was
 * not sent, and copies that. It needs no fence: what it was not sent it never acknowledged.
 */
import type { Logger } from "../base/logger.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Settings } from "../base/settings.ts";
import { FRAME } from "../link/frame.ts";
import type { LinkSession } from "../link/link.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { LINK, LINK_FLAG } from "../store/kernel-ring.ts";
import { oldestOf } from "./oldest.ts";

export interface HeldBackParts {
  readonly runtime: Runtime;
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly log: Logger;
  /** A member by its link number, for messages. */
  nameOf(link: number): string;
  /** Tells a peer that it lacks records with at least this stamp; resolves when it has heard. */
  tell(session: LinkSession, since: bigint): Promise<unknown>;
}

/** One link. */
interface Load {
  /** What is sent would arrive too late to be of use. */
  isBehind: boolean;
  /** It takes any request. */
  takesAll: boolean;
  /** When nothing waited to leave for it last, as far as it was looked at, in ms of Runtime.monotonic(). */
  emptyAt: number;
  /** The oldest stamp of what was not sent, in the order in which the peer comes to know of it. */
  missed: bigint | undefined;
  /** It is told when what was sent to others before `since`, in ms of Runtime.monotonic(), has surely reached them. */
  ripening: { readonly stamp: bigint; readonly since: number } | undefined;
  telling: bigint | undefined;
}

export class HeldBack {
  readonly #parts: HeldBackParts;
  readonly #loads = new Map<number, Load>();

  constructor(parts: HeldBackParts) {
    this.#parts = parts;
  }

  /** A session has opened, and the kernel's link with it. */
  opened(link: number): void {
    const emptyAt = this.#parts.runtime.monotonic();
    Object.assign(this.#loadOf(link), { isBehind: false, takesAll: true, emptyAt });
  }

  /** A session is over; the kernel's link is still there. */
  closed(link: number): void {
    this.#takeMissed(link);
  }

  /** Whether what is sent to a peer would arrive too late to be of use. */
  isBehind(link: number): boolean {
    return this.#loadOf(link).isBehind;
  }

  /** Whether a link takes any request; if not, perhaps those that somebody waits for. */
  takesAll(link: number): boolean {
    return this.#loadOf(link).takesAll;
  }

  /** A peer was not sent a frame of the host: what is no read, it lacks. */
  miss(link: number, frame: Uint8Array): void {
    if (frame[4] === FRAME.read) return;
    const load = this.#loadOf(link);
    load.missed = oldestOf(load.missed, stampOf(frame));
  }

  /** The oldest stamp of what a peer lacks and does not know of for certain. */
  oldestMissed(link: number): bigint | undefined {
    const { missed, ripening, telling } = this.#loadOf(link);
    return oldestOf(missed, ripening?.stamp, telling);
  }

  /** To be called before something is sent over a link. */
  sending(session: LinkSession): void {
    if (session.bufferedBytes !== 0) return;
    this.#loadOf(session.link).emptyAt = this.#parts.runtime.monotonic();
  }

  /** Looks whether a link takes more requests, after each flush; its LINK_FLAG bits. */
  settle(session: LinkSession): number {
    const { runtime, store, settings } = this.#parts;
    const { link } = session;
    const load = this.#loadOf(link);
    // Once beyond a bound, half of it must be reached: that it does not begin anew at once.
    const queued = session.bufferedBytes / settings.get("maxLinkQueueBytes");
    const isFull = queued > (load.takesAll ? 1 : 0.5) * FULL_QUEUE;
    const share = load.isBehind ? 0.5 : 1;
    const lateMs = share * settings.get("requestTimeoutMs");
    // What comes back late where nothing waits to leave has been held up on its way back.
    const isLate = session.lagMs > lateMs && runtime.monotonic() - load.emptyAt > lateMs;
    this.#setBehind(link, load, isLate || queued > share * LATE_QUEUE);
    const found = (isFull ? LINK_FLAG.full : 0) | (load.isBehind ? LINK_FLAG.behind : 0);
    const flags = store.kernel.linkSettle(link, found);
    load.takesAll = (flags & (LINK_FLAG.full | LINK_FLAG.behind)) === 0;
    this.#takeMissed(link);
    return flags;
  }

  /** Tells peers what they lack, as far as it is time. `open`: all sessions. */
  tell(open: readonly LinkSession[]): void {
    const now = this.#parts.runtime.monotonic();
    const reachedAt = Math.min(...open.map((session) => session.reachedAt));
    for (const session of open) this.#tell(session, now, reachedAt);
  }

  #tell(session: LinkSession, now: number, reachedAt: number): void {
    const load = this.#loadOf(session.link);
    if (load.ripening === undefined && load.missed !== undefined) {
      load.ripening = { stamp: load.missed, since: now };
      load.missed = undefined;
    }
    // Who holds what it lacks must have got it, or the copy would come too soon.
    const isRipe = load.ripening !== undefined && reachedAt > load.ripening.since;
    if (!isRipe || !load.takesAll || load.telling !== undefined) return;
    const { stamp } = load.ripening!;
    load.ripening = undefined;
    load.telling = stamp;
    this.#parts.tell(session, stamp).then(
      () => {
        load.telling = undefined;
      },
      () => {
        load.telling = undefined;
        load.missed = oldestOf(load.missed, stamp);
      },
    );
  }

  #setBehind(link: number, load: Load, isBehind: boolean): void {
    if (isBehind === load.isBehind) return;
    load.isBehind = isBehind;
    const { log } = this.#parts;
    const node = this.#parts.nameOf(link);
    if (isBehind) log.warn("A node is sent no requests: they would reach it too late.", { node });
    else log.info("A node is sent requests again.", { node });
  }

  /** Takes over what the kernel has not sent. */
  #takeMissed(link: number): void {
    const { kernel, memory } = this.#parts.store;
    const at = (kernel.linkAddress(link) >>> 2) + LINK.missed;
    const low = memory.words[at]!;
    const high = memory.words[at + 1]!;
    if (low === 0 && high === 0) return;
    memory.words.fill(0, at, at + 2);
    const load = this.#loadOf(link);
    load.missed = oldestOf(load.missed, (BigInt(high) << 32n) | BigInt(low));
  }

  #loadOf(link: number): Load {
    let load = this.#loads.get(link);
    if (load === undefined) {
      load = {
        ...{ isBehind: false, takesAll: true, emptyAt: 0 },
        ...{ missed: undefined, ripening: undefined, telling: undefined },
      };
      this.#loads.set(link, load);
    }
    return load;
  }
}

/** Parts of maxLinkQueueBytes at which a link is full, and behind: answers and what hosts send have room above it. */
const FULL_QUEUE = 0.5;
const LATE_QUEUE = 0.75;

/** The stamp of a WRITE, BATCH or FLOOR. */
function stampOf(frame: Uint8Array): bigint {
  return new DataView(frame.buffer, frame.byteOffset, frame.length).getBigUint64(8, true);
}
