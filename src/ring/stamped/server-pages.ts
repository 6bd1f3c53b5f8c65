// The records of the server behind the node, page by page, for range copies: first all keys, then the side records without a value.

import { RingletError } from "../../base/errors.ts";
import { concat } from "../../codec/concat.ts";
import { decodeWrite } from "../../link/frame.ts";
import type { Applied } from "../../store/apply.ts";
import { effectFrame } from "../../store/effect.ts";
import { DATABASES } from "../../store/kernel.ts";
import { before, OLDEST, stampFrom } from "../../store/stamp.ts";
import { SIDE_DATABASE } from "../../store/stamped/scripts.ts";
import type { StampedStore } from "../../store/stamped/stamped-store.ts";
import { PAGE_FORMAT, type RecordPages } from "../copies.ts";
import type { RingPort } from "../port.ts";

export interface ServerPagesParts {
  readonly port: RingPort;
  readonly store: StampedStore;
  /** Bytes of frames in one page, about, as it is when a page is served. */
  readonly pageBytes: () => number;
}

/** Keys that are looked at in one step, about: fewer where their values are more than a page. */
const STEP_KEYS = [128, 8, 1] as const;
/** Keys that are read or written at a time. */
const PARALLEL = 16;
/** Steps for one page at most: a page of few records must not take long. */
const MAX_STEPS = 32;

export class ServerPages implements RecordPages {
  readonly #parts: ServerPagesParts;

  constructor(parts: ServerPagesParts) {
    this.#parts = parts;
  }

  async apply(frames: readonly Uint8Array[]): Promise<readonly Applied[]> {
    const outcomes: Applied[] = [];
    for (let at = 0; at < frames.length; at += PARALLEL) {
      const some = frames.slice(at, at + PARALLEL);
      const applied = some.map((frame) => this.#parts.store.apply(decodeWrite(frame)));
      for (const { outcome } of await Promise.all(applied)) outcomes.push(outcome);
    }
    return outcomes;
  }

  async serve(link: number, body: Uint8Array): Promise<Uint8Array> {
    const data = new DataView(body.buffer, body.byteOffset, body.length);
    const since = data.getBigUint64(8, true);
    const pageBytes = this.#parts.pageBytes();
    let database = body[0]!;
    let cursor = data.getUint32(4, true);
    const frames: Uint8Array[] = [];
    let bytes = 0;
    for (let step = 0; step < MAX_STEPS && database < DATABASES && bytes < pageBytes; step++) {
      const { next, found } = await this.#step(database === 0, cursor, { link, since, pageBytes });
      frames.push(...found);
      bytes += lengthOf(found);
      cursor = next;
      if (next === 0) database = database === 0 ? SIDE_DATABASE : DATABASES;
    }
    const header = new Uint8Array(PAGE_FORMAT.header);
    header[0] = database;
    new DataView(header.buffer).setUint32(4, cursor, true);
    return concat([header, ...frames]);
  }

  async #step(
    ofKeys: boolean,
    cursor: number,
    page: { readonly link: number; readonly since: bigint; readonly pageBytes: number },
  ): Promise<{ readonly next: number; readonly found: readonly Uint8Array[] }> {
    for (const count of STEP_KEYS) {
      const { next, keys } = await this.#parts.store.walk(ofKeys ? "keys" : "side", cursor, count);
      if (next > MAX_CURSOR) {
        throw new RingletError(
          "BAD_CURSOR",
          "the server behind the node has too many keys to copy",
        );
      }
      const most = count === 1 ? Number.POSITIVE_INFINITY : page.pageBytes;
      const wanted = keys.filter((key) => this.#isFor(page.link, key));
      const found = await this.#frames(wanted, ofKeys, page.since, most);
      if (found !== undefined) return { next, found };
    }
    throw new Error("the last step takes any length");
  }

  /** The frames of keys; undefined where they have more than `most` bytes. */
  async #frames(
    keys: readonly Uint8Array[],
    ofKeys: boolean,
    since: bigint,
    most: number,
  ): Promise<readonly Uint8Array[] | undefined> {
    const than = since === 0n ? OLDEST : before(stampFrom(since, 0));
    const frames: Uint8Array[] = [];
    for (let at = 0; at < keys.length; at += PARALLEL) {
      const some = keys.slice(at, at + PARALLEL);
      const held = await Promise.all(some.map((key) => this.#parts.store.read(key, than)));
      for (const { effect } of held) {
        if (effect === undefined) continue;
        // A value was found, or will be, among the keys.
        if (ofKeys || effect.kind === "tombstone") frames.push(effectFrame(effect));
      }
      if (lengthOf(frames) > most) return undefined;
    }
    return frames;
  }

  /** Whether a member is a replica of a key. */
  #isFor(link: number, key: Uint8Array): boolean {
    const { local, remote } = this.#parts.port.replicasOf(key);
    return [local, ...remote].some((members) => members.some(({ index }) => index === link));
  }
}

const MAX_CURSOR = 0xffff_ffff;

function lengthOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, { length }) => sum + length, 0);
}
