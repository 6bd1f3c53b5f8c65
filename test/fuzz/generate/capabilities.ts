/** Makes capability advertisements, CAP version 1, mostly right. */
import type { FuzzBuffer } from "../fuzz-buffer.ts";
import type { Random } from "../random.ts";

/** Writes one advertisement to `out`, and cuts and changes some of them. */
export function generateCapabilities(random: Random, out: FuzzBuffer): void {
  const entries = random.oneIn(300) ? random.between(1020, 1030) : random.below(5);
  out.text(random.oneIn(60) ? random.pick(["CAQ", "", "cap", "C"]) : "CAP");
  out.byte(random.oneIn(60) ? random.below(4) : 1);
  number(out, random.oneIn(60) ? random.pick([1024, 1025, 0xffffffff, entries + 1]) : entries, 4);
  for (let i = 0; i < entries; i++) {
    const name = random.oneIn(80) ? random.pick([255, 256, 257, 65535]) : random.below(12);
    number(out, name, 2);
    for (let letter = 0; letter < Math.min(name, 300); letter++) {
      out.byte(random.oneIn(400) ? 128 + random.below(128) : 97 + (letter % 26));
    }
    const values = entries > 100 ? 0 : random.below(4);
    number(out, random.oneIn(200) ? random.pick([65535, 0]) : values, 2);
    for (let value = 0; value < values; value++) {
      const length = random.oneIn(150)
        ? random.pick([16383, 16384, 16385, 0xffffffff])
        : random.below(9);
      number(out, length, 4);
      out.fill(random.below(256), Math.min(length, 16385));
    }
  }
  if (random.oneIn(8)) out.noise(random, random.below(5));
  if (random.oneIn(3)) out.mutate(random);
  if (random.oneIn(4)) out.length = random.below(out.length + 1);
}

function number(out: FuzzBuffer, value: number, bytes: number): void {
  for (let i = 0; i < bytes; i++) out.byte(Math.floor(value / 256 ** i) & 255);
}
