/** Makes streams of dnode frames, with junk between them and lengths that lie. */
import { FuzzBuffer } from "../fuzz-buffer.ts";
import type { Random } from "../random.ts";
import { generateMemcachedReply, generateMemcachedRequest } from "./memcached.ts";
import { numberOr } from "./numbers.ts";
import { generateReply } from "./resp-reply.ts";
import { generateRequest } from "./resp-request.ts";

const JUNK = [
  "\r\n",
  "hello",
  "   ",
  "$2015$ 1 3 0 1 1 *1 d *0\r\n",
  "$",
  "$2014",
  "$2014$",
  "dc1$rack1$3530913378,1795210686,7,127.0.0.2",
  "$2014$  1",
];

/** The payload's own length must be known before it is written. */
const payload = new FuzzBuffer();

/** Writes up to three frames to `out`, and cuts and changes some of them. */
export function generateFrames(random: Random, out: FuzzBuffer, kind: "redis" | "memcached"): void {
  const frames = random.oneIn(20) ? random.between(4, 12) : random.between(1, 3);
  for (let i = 0; i < frames; i++) {
    if (random.oneIn(6)) out.text(random.pick(JUNK));
    if (random.oneIn(30)) out.noise(random, random.below(12));
    generateFrame(random, out, kind);
  }
  if (random.oneIn(2)) out.mutate(random);
  if (random.oneIn(3)) out.length = random.below(out.length + 1);
}

/** Writes one frame, mostly right. */
export function generateFrame(random: Random, out: FuzzBuffer, kind: "redis" | "memcached"): void {
  const type = random.oneIn(3) ? random.below(15) : random.between(3, 5);
  const flags = random.oneIn(6) ? random.below(18) : 0;
  const plain = (flags & 15) !== 1 && type >= 3 && type <= 5;
  payload.clear();
  if (!plain) payload.noise(random, random.below(20));
  else if (random.oneIn(40))
    payload.text(
      random.pick(["PING\r\n", "ping a\r\n", "PINGX\r\n", "GET a\r\n", "*0\r\n", "pIn"]),
    );
  else if (type === 5)
    (kind === "redis" ? generateShortReply : generateMemcachedReply)(random, payload);
  else (kind === "redis" ? generateRequest : generateMemcachedRequest)(random, payload);

  out.text(random.pick(["   ", "   ", "   ", "", " ", "     "]));
  out.text("$2014$ ");
  out.text(`${numberOr(random, (BigInt(random.u32()) << 32n) | BigInt(random.u32()), 12)} `);
  out.text(`${numberOr(random, type, 40)} ${numberOr(random, flags, 40)} `);
  out.text(`${numberOr(random, 1, 40)} ${numberOr(random, random.below(2), 40)} `);
  const dataLength = random.oneIn(10) ? random.pick([0, 2, 128]) : 1;
  out.text(`${random.oneIn(20) ? "" : "*"}${numberOr(random, dataLength, 40)} `);
  if (random.oneIn(300)) {
    // Too long, and just not.
    const length = random.pick([65535, 65536]);
    out.length -= String(dataLength).length + 1;
    out.text(`${length} `);
    out.fill(100, length);
  } else if (dataLength === 1) out.text("d");
  else out.noise(random, dataLength);
  out.text(
    random.oneIn(20)
      ? random.pick(["", "  ", "                    ", "                     "])
      : " ",
  );
  out.text(
    `*${numberOr(random, plain && random.oneIn(5) ? payload.length + 29 : payload.length, 40)}`,
  );
  out.text(random.oneIn(40) ? random.pick(["\n", "\r", "\r\r\n"]) : "\r\n");
  out.raw(payload.view());
}

function generateShortReply(random: Random, out: FuzzBuffer): void {
  generateReply(random, out, 2);
}
