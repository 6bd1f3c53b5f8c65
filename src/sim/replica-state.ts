/** What one node holds, record by record, as text that is equal where the records are. */

import { recordStamp } from "../store/apply.ts";
import { fromLatin1, latin1 } from "../store/arguments.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { DATABASES } from "../store/kernel.ts";
import { ANY_LINK } from "../store/kernel-ring.ts";
import { hashBytes } from "./random.ts";

/** Pages that records are read through. */
const AREA_PAGES = 16;
const KEY_OFFSET = 28;
const TOMBSTONE = 0x10;
const OBJECT = 0x40;

/**
 * All records of a store, by "database/key". What has expired counts as the tombstone that it becomes when it is looked at, and an
 * object is told by its newest stamp and the digest of its state: its fields may have come in another order.
 */
export function replicaState(store: EmbeddedStore): Map<string, string> {
  const state = new Map<string, string>();
  const { kernel } = store;
  const area = kernel.takePages(AREA_PAGES, 1) >>> 0;
  for (let database = 0; database < DATABASES; database++) {
    let cursor = 0;
    do {
      cursor = kernel.copyWalk(database, cursor, 0n, ANY_LINK, area, AREA_PAGES * 65536) >>> 0;
      const length = kernel.copiedBytes() >>> 0;
      const frames = store.memory.bytes.slice(area, area + length);
      for (const [key, text] of readFrames(store, frames)) state.set(`${database}/${key}`, text);
    } while (cursor !== 0);
  }
  kernel.freePages(area, AREA_PAGES);
  return state;
}

function* readFrames(store: EmbeddedStore, frames: Uint8Array): Generator<[string, string]> {
  const data = new DataView(frames.buffer, frames.byteOffset, frames.length);
  for (let at = 0; at < frames.length; at += data.getUint32(at, true)) {
    const length = data.getUint32(at, true);
    const flags = data.getUint8(at + 5);
    const keyLength = data.getUint32(at + 24, true);
    const key = latin1(frames, at + KEY_OFFSET, keyLength);
    if ((flags & OBJECT) !== 0) {
      const held = recordStamp(store, flags & 0x0f, fromLatin1(key));
      yield [
        key,
        held === undefined ? "object gone" : `object ${held.stamp}@${held.node} ${held.digest}`,
      ];
      continue;
    }
    const stamp = data.getBigUint64(at + 8, true);
    const expiryAndNode = data.getBigUint64(at + 16, true);
    const expiry = Number(expiryAndNode >> 16n);
    const minted = `${stamp}@${expiryAndNode & 0xffffn}`;
    const isDead = (flags & TOMBSTONE) !== 0 || (expiry !== 0 && expiry <= store.now);
    const value = frames.subarray(at + KEY_OFFSET + keyLength, at + length);
    yield [key, isDead ? `dead ${minted}` : `${minted} ${expiry} ${hashBytes(value, 0) >>> 0}`];
  }
}
