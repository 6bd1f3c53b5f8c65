/** dnode frames: the typed face, the resumable parser at the edges of memory and the writer, against the slow parser. */
import { instantiateSync } from "@assemblyscript/loader";
import { type DnodeExports, dnodeFace } from "../../../src/codec/dnode.ts";
import { CodecInstance } from "../../../src/codec/instance.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { readFrames, type SlowFrames } from "../../reference/dnode.ts";
import { cutsOf } from "../cuts.ts";
import { EdgeMemory } from "../edge-memory.ts";
import { generateFrames } from "../generate/dnode.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget, Mismatch } from "../target.ts";

/** Small enough that many a payload is longer; and one that none is. */
const LIMITS = [40, 300, 512 * 1024 * 1024];
const STATE_BYTES = 64 + 16 + 8 * 32;
const INCOMPLETE = 1;

/** The codes, in the order of the parser's statuses from 2 on. */
const CODES = ["DNODE_LONG_DATA", "DNODE_LONG_PAYLOAD", "DNODE_BAD_PAYLOAD"];

const STATES = [
  "plain request",
  "plain forwarded request",
  "plain response",
  "encrypted",
  "gossip",
  "other type",
  "wrong stated length",
  "bytes passed over",
  "complete",
  "incomplete",
  "cut before a frame",
  "cut in a header",
  "cut in a stated payload",
  "cut in a request",
  "cut in a response",
  "resumed in a payload",
];

/** `kind` is what the payload of plain frames is. */
export function dnodeTarget(kind: "redis" | "memcached"): FuzzTarget {
  const exports = instantiateSync(readModule("codec")).instance.exports as unknown as DnodeExports;
  const face = dnodeFace(new CodecInstance(exports));
  const edge = new EdgeMemory<DnodeExports>();
  const random = new Random(0);
  const kindNumber = kind === "redis" ? 0 : 1;

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const maxPayloadBytes = random.pick(LIMITS);
    const slow = readFrames(input, kind, maxPayloadBytes);
    const fast = face.parseDnodes(input, 0, { payload: kind, maxPayloadBytes });
    expectSame("status", fast.error?.code ?? fast.status, slow.status);
    expectSame("end", fast.end, slow.end);
    expectSame("skipped", fast.skipped, slow.skipped);
    expectSame("wanted", fast.wanted, slow.wanted);
    expectSame("frames", fast.frames, slow.frames);
    const one = face.parseDnode(input, 0, { payload: kind, maxPayloadBytes });
    const first = slow.frames[0];
    if (first !== undefined) {
      expectSame("first frame", one, {
        status: "complete",
        frame: first,
        end: first.end,
        skipped: first.skipped,
      });
    }
    if (random.oneIn(4)) {
      for (const frame of slow.frames) {
        const bytes = face.writeDnode(frame);
        const again = face.parseDnode(bytes, 0, { payload: kind, maxPayloadBytes });
        expectSame("frame written and read again", again, {
          status: "complete",
          frame: {
            ...frame,
            statedPayloadLength: frame.payload.length,
            start: 0,
            end: bytes.length,
            skipped: 0,
          },
          end: bytes.length,
          skipped: 0,
        });
      }
    }
    feed(input, maxPayloadBytes, coverage, slow, (bytes) => edge.placeAtEnd(bytes));
    feed(input, maxPayloadBytes, coverage, slow, (bytes) => edge.placeInside(bytes, variant));
    edge.checkSize();
    cover(slow, coverage);
  }

  /** Feeds the input in pieces, each at another place, with nothing in front of it but what the parser asked to keep. */
  function feed(
    input: Uint8Array,
    maxPayloadBytes: number,
    coverage: Coverage,
    slow: SlowFrames,
    place: (bytes: Uint8Array) => number,
  ): void {
    const { parseDnode, dnodeStart, dnodeWanted } = edge.exports;
    const state = edge.out;
    edge.fillWords(state, STATE_BYTES / 4, 0);
    let at = 0;
    let frames = 0;
    let status = 0;
    let seen = 0;
    for (const cut of cutsOf(random, input.length)) {
      seen = cut;
      const begin = place(input.subarray(at, cut));
      const end = begin + cut - at;
      const offset = at - begin;
      while (at < cut) {
        if (edge.word(state) === 1) coverage.hit("resumed in a payload");
        status = parseDnode(at - offset, end, state, kindNumber, maxPayloadBytes);
        at = dnodeStart.value + offset;
        if (status !== 0) break;
        expectFrame(state, at, slow, frames++);
        at += edge.word(state + 48);
      }
      if (status > INCOMPLETE) break;
      if (status !== INCOMPLETE) continue;
      const next = slow.frames[frames];
      // A header that turns out to be none wants what a frame would have needed.
      const sameFrame = next !== undefined && next.start === at;
      if (sameFrame && cut + dnodeWanted.value > next.end) {
        throw new Mismatch(
          `wanted ${dnodeWanted.value} more at ${cut} of a frame that ends at ${next.end}`,
        );
      }
      coverage.hit(stateAt(state, input.subarray(at, cut)));
      status = 0;
    }
    // What comes later cannot change an error: it is the one of what had come. (A payload that is going to be too long is refused
    // before its last bytes, which may be wrong too, have come.)
    const so =
      status > INCOMPLETE && seen < input.length
        ? readFrames(input.subarray(0, seen), kind, maxPayloadBytes)
        : slow;
    expectSame("frames fed in pieces", frames, so.frames.length);
    if (status > INCOMPLETE)
      expectSame("code of what was fed in pieces", CODES[status - 2], so.status);
    else if (so.status.startsWith("DNODE"))
      throw new Mismatch(`fed in pieces there was no ${so.status}`);
    else expectSame("end of what was fed in pieces", at, so.end);
  }

  function expectFrame(state: number, start: number, slow: SlowFrames, i: number): void {
    const frame = slow.frames[i];
    const word = (at: number) => edge.word(state + at);
    const read = [start, word(4), word(8), word(12), word(16), word(20), word(24), word(28)];
    const spans = [start + word(32), word(36), word(40), start + word(44), start + word(48)];
    expectSame(
      "frame fed in pieces",
      [...read, ...spans],
      frame && [
        frame.start,
        frame.skipped,
        Number(frame.id & 0xffffffffn),
        Number(frame.id >> 32n),
        frame.type,
        frame.flags,
        frame.version,
        frame.sameDc ? 1 : 0,
        frame.data.byteOffset - frame.payload.byteOffset + frame.end - frame.payload.length,
        frame.data.length,
        frame.statedPayloadLength,
        frame.end - frame.payload.length,
        frame.end,
      ],
    );
  }

  function stateAt(state: number, rest: Uint8Array): string {
    if (edge.word(state) !== 1) {
      return rest.includes(50) ? "cut in a header" : "cut before a frame";
    }
    const type = edge.word(state + 16);
    if (edge.word(state + 20) === 1 || type < 3 || type > 5) return "cut in a stated payload";
    return type === 5 ? "cut in a response" : "cut in a request";
  }

  return {
    name: `dnode-${kind}`,
    states: STATES,
    codes: CODES,
    generate: (from, out) => generateFrames(from, out, kind),
    check,
    memoryBytes: () => exports.memory.buffer.byteLength,
  };
}

function cover(slow: SlowFrames, coverage: Coverage): void {
  coverage.hit(slow.status);
  if (slow.skipped > 0) coverage.hit("bytes passed over");
  for (const { type, flags, skipped, payload, statedPayloadLength } of slow.frames) {
    if (skipped > 0) coverage.hit("bytes passed over");
    if (payload.length !== statedPayloadLength) coverage.hit("wrong stated length");
    if (flags === 1) coverage.hit("encrypted");
    else if (type === 3) coverage.hit("plain request");
    else if (type === 4) coverage.hit("plain forwarded request");
    else if (type === 5) coverage.hit("plain response");
    else coverage.hit(type >= 7 && type <= 13 ? "gossip" : "other type");
  }
}
