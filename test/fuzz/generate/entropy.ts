/** Makes entropy channels: negotiation, snapshot header and chunks, mostly right. */
import { createCipheriv } from "node:crypto";
import type { FuzzBuffer } from "../fuzz-buffer.ts";
import type { Random } from "../random.ts";

/** Key and iv of the encrypted channels. */
export const FUZZ_CIPHER = {
  key: Uint8Array.from({ length: 16 }, (_, i) => i * 7 + 1),
  iv: Uint8Array.from({ length: 16 }, (_, i) => 255 - i),
};

/** Writes one channel to `out`, and cuts and changes some of them. */
export function generateEntropy(random: Random, out: FuzzBuffer): void {
  const headerBytes = random.oneIn(10) ? 1024 : random.between(8, 20);
  const cipherBytes = random.oneIn(20) ? 64 : 17408;
  word(out, random.oneIn(80) ? 0x64640002 : 0x64640001);
  word(out, random.oneIn(80) ? random.below(4) : 1);
  word(out, random.oneIn(60) ? random.pick([0, 7, 1025, 0xffffffff]) : headerBytes);
  word(out, random.oneIn(60) ? random.pick([0, 5242880, 5242881]) : 16384);
  word(out, random.oneIn(60) ? random.pick([0, 5242880, 5242881]) : cipherBytes);
  const encrypted = random.oneIn(3);
  const sizes = Array.from({ length: random.below(4) }, () =>
    random.oneIn(12) ? random.below(200) : random.between(1, 20),
  );
  let total = sizes.reduce((sum, size) => sum + size, 0);
  if (random.oneIn(20)) total += random.between(-2, 3);
  word(out, random.oneIn(60) ? 0xffffffff : Math.max(0, total));
  word(out, random.oneIn(60) ? 2 : encrypted ? 1 : 0);
  out.fill(random.oneIn(20) ? 9 : 0, headerBytes - 8);
  for (const size of sizes) {
    const plain = Uint8Array.from({ length: size }, () => random.below(256));
    const body = encrypted ? encrypt(plain) : plain;
    word(
      out,
      random.oneIn(60) ? random.pick([0, 17409, 0xffffffff, body.length + 1]) : body.length,
    );
    out.raw(body);
  }
  if (random.oneIn(12)) out.noise(random, random.below(6));
  if (random.oneIn(3)) out.mutate(random);
  if (random.oneIn(4)) out.length = random.below(out.length + 1);
}

function encrypt(plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-cbc", FUZZ_CIPHER.key, FUZZ_CIPHER.iv);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

function word(out: FuzzBuffer, value: number): void {
  for (let shift = 24; shift >= 0; shift -= 8) out.byte((value >>> shift) & 255);
}
