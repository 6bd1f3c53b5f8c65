// The frames that carry what a command has changed: one record by itself, several as one batch.

import { encodeBatch, FRAME, FRAME_FLAG, frameHead } from "../link/frame.ts";
import { type Effect, effectFrame } from "../store/effect.ts";

/** Bytes of records that go as one; more go one by one. */
export const MAX_BATCH_BYTES = 32 * 1024 * 1024;

/** Frames for effects that have one stamp; `spread`: the receiver passes them on in its datacenter. */
export function framesOf(effects: readonly Effect[], spread: boolean): Uint8Array[] {
  const frames = effects.map((effect) => effectFrame(effect, spread && effects.length === 1));
  if (frames.length === 1) return frames;
  const floors = frames.filter((frame) => frameHead(frame).type === FRAME.floor);
  const writes = frames.filter((frame) => frameHead(frame).type === FRAME.write);
  const bytes = writes.reduce((sum, frame) => sum + frame.length, 0);
  const batched =
    writes.length > 1 && bytes <= MAX_BATCH_BYTES ? [batchOf(effects, writes)] : writes;
  const all = [...floors, ...batched];
  if (spread) for (const frame of all) frame[FLAGS_AT]! |= FRAME_FLAG.spread;
  return all;
}

function batchOf(effects: readonly Effect[], writes: readonly Uint8Array[]): Uint8Array {
  const { stamp, node, database } = effects.at(-1)!;
  return encodeBatch({ database, stamp, node, writes });
}

const FLAGS_AT = 5;
