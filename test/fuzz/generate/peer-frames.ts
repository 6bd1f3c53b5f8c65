/** Makes frames between nodes, mostly right: few keys and stamps, so that they meet. */
import { START_MS } from "../../unit/store/store-under-test.ts";
import type { FuzzBuffer } from "../fuzz-buffer.ts";
import type { Random } from "../random.ts";

const KEYS = ["", "k", "key:0001", "a key that is longer than two words"];
const ANSWERS = [0x18, 0x18, 0x19, 0x1a, 0x1a, 0x1b, 0x1b, 0x1c, 0x1d];
const UNKNOWN = [0x14, 0x17, 0x1e, 0x1f, 0x20, 0x2f];
const TOMBSTONE = 0x10;
const SPREAD = 0x20;
const OBJECT = 0x40;
const TAGGED = 0x80;

/** Writes up to 40 frames to `out`, and cuts and changes some of them. */
export function generatePeerFrames(random: Random, out: FuzzBuffer): void {
  const frames = random.oneIn(3) ? random.between(10, 40) : random.between(1, 8);
  for (let i = 0; i < frames; i++) generateFrame(random, out);
  if (random.oneIn(3)) damage(random, out);
  if (random.oneIn(4)) out.length = random.below(out.length + 1);
}

function generateFrame(random: Random, out: FuzzBuffer): void {
  const dice = random.below(100);
  if (dice < 45) write(random, out, 0x10);
  else if (dice < 65) read(random, out);
  else if (dice < 68) batch(random, out);
  else if (dice < 71) floor(random, out);
  else if (dice < 92) answer(random, out, random.pick(ANSWERS));
  else if (dice < 98) {
    const type = random.pick([0, 1, 0x0f, 0x30, 0x31, 0x32, 0x40, 0xff]);
    frame(out, type, random.below(256), () => out.noise(random, random.below(30)));
  } else frame(out, random.pick(UNKNOWN), 0, () => out.noise(random, random.below(40)));
}

/** Writes a frame: header and body, with its length. */
function frame(out: FuzzBuffer, type: number, flags: number, body: () => void): void {
  const start = out.length;
  u32(out, 0);
  out.byte(type);
  out.byte(flags);
  out.byte(0);
  out.byte(0);
  body();
  new DataView(out.bytes.buffer).setUint32(start, out.length - start, true);
}

function write(random: Random, out: FuzzBuffer, type: number): void {
  const tombstone = random.oneIn(4);
  const object = random.oneIn(10);
  const tagged = !tombstone && !object && random.oneIn(6);
  const flags =
    (tombstone ? TOMBSTONE : 0) |
    (random.oneIn(10) ? SPREAD : 0) |
    (object ? OBJECT : 0) |
    (tagged ? TAGGED : 0);
  frame(out, type, flags | database(random), () => {
    stamp(random, out);
    const expiry = random.oneIn(5) ? START_MS + random.between(-50, 50) : 0;
    u16(out, random.below(4));
    u32(out, expiry % 2 ** 32);
    u16(out, Math.floor(expiry / 2 ** 32));
    key(random, out);
    if (tagged) out.noise(random, 4);
    if (!tombstone) out.noise(random, random.oneIn(50) ? random.below(5000) : random.below(20));
    else if (type === 0x10 && random.oneIn(2)) seen(random, out);
  });
}

/** What the coordinator of a DEL saw. */
function seen(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(3)) out.fill(0, 10);
  else {
    stamp(random, out);
    u16(out, random.below(4));
  }
}

function read(random: Random, out: FuzzBuffer): void {
  frame(out, 0x11, database(random), () => {
    version(random, out);
    key(random, out);
    if (random.oneIn(8)) out.noise(random, 8);
  });
}

function batch(random: Random, out: FuzzBuffer): void {
  frame(out, 0x12, database(random), () => {
    version(random, out);
    const count = random.below(4);
    u32(out, random.oneIn(20) ? count + 1 : count);
    for (let i = 0; i < count; i++) write(random, out, random.oneIn(30) ? 0x1a : 0x10);
  });
}

function floor(random: Random, out: FuzzBuffer): void {
  frame(out, 0x13, database(random), () => version(random, out));
}

function answer(random: Random, out: FuzzBuffer, type: number): void {
  if (type === 0x1a) {
    write(random, out, type);
    return;
  }
  frame(out, type, database(random), () => {
    if (type === 0x18) u32(out, random.oneIn(20) ? random.u32() : random.below(4));
    else if (type === 0x1c) u32(out, random.below(7));
    else version(random, out);
    if (type === 0x19) write(random, out, random.oneIn(30) ? 0x1a : 0x10);
    else if (type === 0x1b) key(random, out);
    else if (type === 0x1d) u32(out, random.below(3));
  });
}

function database(random: Random): number {
  return random.oneIn(8) ? random.below(16) : 0;
}

/** A stamp and its node, in eight bytes each. */
function version(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(4)) {
    out.fill(0, 16);
    return;
  }
  stamp(random, out);
  u16(out, random.below(4));
  out.fill(0, 6);
}

/** One of few stamps; seldom one that is too far ahead, or none. */
function stamp(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(40)) {
    out.fill(random.oneIn(2) ? 0 : 0xff, 8);
    return;
  }
  const ms = START_MS + (random.oneIn(30) ? random.between(9998, 10_003) : random.below(4));
  u16(out, random.below(3));
  u32(out, ms % 2 ** 32);
  u16(out, Math.floor(ms / 2 ** 32));
}

function key(random: Random, out: FuzzBuffer): void {
  const text = random.pick(KEYS);
  u32(out, text.length);
  out.text(text);
}

/** Changes bytes, mostly in front of keys and values: lengths, types and flags are there. */
function damage(random: Random, out: FuzzBuffer): void {
  if (random.oneIn(2)) {
    out.mutate(random);
    return;
  }
  for (let changes = random.between(1, 3); changes > 0 && out.length > 0; changes--) {
    const view = new DataView(out.bytes.buffer);
    let at = 0;
    for (let frames = random.below(10); frames > 0; frames--) {
      const length = at + 4 <= out.length ? view.getUint32(at, true) : 0;
      if (length < 8 || at + length >= out.length) break;
      at += length;
    }
    at = Math.min(at + random.below(30), out.length - 1);
    out.bytes[at] = random.oneIn(3) ? random.below(256) : out.bytes[at]! ^ (1 << random.below(8));
  }
}

function u16(out: FuzzBuffer, value: number): void {
  out.byte(value & 0xff);
  out.byte((value >>> 8) & 0xff);
}

function u32(out: FuzzBuffer, value: number): void {
  u16(out, value & 0xffff);
  u16(out, Math.floor(value / 65536));
}
