/**
 * Frames between nodes over the kernel: what a replica answers and holds for an input cut anywhere is what the slow replica answers
 * and holds for the frames that the slow parser reads in it.
 */
import { PEER_STATUS } from "../../../src/store/kernel-ring.ts";
import { readPeerFrames } from "../../reference/peer-frames.ts";
import { SlowReplica, sentText } from "../../reference/replica.ts";
import { OBJECT, PeerKernel, TAGGED, TOMBSTONE } from "../../unit/ring-kernel/peer-kernel.ts";
import { openKernel, START_MS } from "../../unit/store/store-under-test.ts";
import { cutsOf } from "../cuts.ts";
import { generatePeerFrames } from "../generate/peer-frames.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget, Mismatch } from "../target.ts";

const PEER = 1;
/** Most bytes of linear memory for inputs of this size. */
const MEMORY_BYTES = 64 * 1024 * 1024;
const AHEAD_MS = 10_000;

const STATES = [
  ...["complete", "incomplete", "fenced", "full", "cut in a header", "cut in a frame"],
  ...["write", "read", "batch", "floor", "host"].map((name) => `got ${name}`),
  ...["acks", "stale", "newer", "older", "fail", "prior"].map((name) => `got ${name}`),
  ...["acks", "stale", "newer", "older", "fail", "prior", "write"].map((name) => `sent ${name}`),
  ...["value", "tagged", "tombstone", "object"].map((kind) => `holds a ${kind}`),
];
const CODES = [
  ...["FRAME_TOO_LONG", "FRAME_TOO_SHORT", "FRAME_UNKNOWN", "FRAME_LENGTH", "FRAME_KEY"],
  ...["FRAME_AUX", "FRAME_TOMBSTONE_VALUE", "FRAME_OLDER_VALUE", "FRAME_ECHO", "FRAME_BATCH"],
  ...["FRAME_TAG", "ANSWER_TO_NOTHING"],
];

/** `deliver` brings a part of the input to the kernel, all of it unless a test puts something else in its place. */
export function peerFramesTarget(deliver = (part: Uint8Array): Uint8Array => part): FuzzTarget {
  const kernel = openKernel();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const maxFrameBytes = random.oneIn(8) ? random.between(8, 300) : 1 << 20;
    const settings = {
      now: START_MS,
      maxStampAheadMs: AHEAD_MS,
      fenced: random.oneIn(10),
      full: random.oneIn(10),
      pending: random.below(6),
    };
    if (settings.fenced) coverage.hit("fenced");
    if (settings.full) coverage.hit("full");

    const read = readPeerFrames(input, maxFrameBytes);
    const slow = new SlowReplica(settings);
    const broken = slow.take(read.messages) || read.status;
    coverage.hit(broken);
    for (const { name } of read.messages) coverage.hit(`got ${name}`);

    const fast = open(settings, maxFrameBytes);
    const { status, rest } = feed(fast, input, coverage);
    const ends = broken === "complete" || broken === "incomplete";
    expectSame("whether the link breaks", status === PEER_STATUS.broken, !ends);
    if (ends) expectSame("bytes that are left", rest, input.length - read.consumed);
    compare(fast, slow, coverage);
    if (kernel.memory.buffer.byteLength > MEMORY_BYTES) throw new Mismatch("the memory has grown");
  }

  function open(
    settings: { readonly fenced: boolean; readonly full: boolean; readonly pending: number },
    maxFrameBytes: number,
  ): PeerKernel {
    const fast = new PeerKernel({ kernel, ceilingBytes: MEMORY_BYTES }).open(PEER);
    fast.install([{ self: true, locals: [PEER] }]);
    kernel.ringSetLimits(5000, AHEAD_MS, 1 << 16, 1 << 16);
    kernel.ringSetMaxFrame(maxFrameBytes);
    kernel.ringSetSelf(settings.fenced ? 3 : 1);
    if (settings.full) kernel.setMaxMemory(1, 0);
    for (let i = 0; i < settings.pending; i++) kernel.linkRequest(PEER, 0, 0, 0xffffffff);
    // The same host as the slow replica's.
    let handle = 0;
    fast.onHost = (link, bytes) => {
      const frame = readPeerFrames(bytes).messages[0]!;
      if (frame.name === "floor") {
        kernel.setFloor(frame.database, BigInt.asIntN(64, frame.stamp), frame.node);
      } else if ((frame.name === "write" || frame.name === "newer") && (frame.flags & 0x40) !== 0) {
        if (installs(fast, frame)) {
          fast.object(frame.key, ++handle, frame.stamp, frame.node, frame.database);
        }
      }
      if (frame.type >= 0x10 && frame.type < 0x18) kernel.peerAnswer(link, 0, 0, 0);
    };
    return fast;
  }

  function installs(
    fast: PeerKernel,
    frame: { key: string; database: number; stamp: bigint; node: number },
  ): boolean {
    const floor = {
      stamp: BigInt.asUintN(64, kernel.floorOf(frame.database)),
      node: kernel.floorNodeOf(frame.database),
    };
    return [floor, fast.held(frame.key, frame.database) ?? { stamp: 0n, node: 0 }].every(
      ({ stamp, node }) => frame.stamp > stamp || (frame.stamp === stamp && frame.node > node),
    );
  }

  /** Feeds the input in pieces; what is not done is fed again with the next. */
  function feed(
    fast: PeerKernel,
    input: Uint8Array,
    coverage: Coverage,
  ): { status: number; rest: number } {
    let kept = new Uint8Array(0);
    let at = 0;
    for (const cut of cutsOf(random, input.length)) {
      const chunk = new Uint8Array(kept.length + cut - at);
      chunk.set(kept);
      chunk.set(input.subarray(at, cut), kept.length);
      at = cut;
      const fed = fast.feed(PEER, deliver(chunk), random.u32());
      if (fed.status !== PEER_STATUS.done) return { status: fed.status, rest: 0 };
      if ((fed.left === 0) !== (fed.wanted === 0)) throw new Mismatch("wants what it does not");
      if (fed.left > 0) coverage.hit(fed.left < 8 ? "cut in a header" : "cut in a frame");
      kept = chunk.slice(chunk.length - fed.left);
    }
    return { status: PEER_STATUS.done, rest: kept.length };
  }

  function compare(fast: PeerKernel, slow: SlowReplica, coverage: Coverage): void {
    const sent = fast.frames(PEER);
    const answers = sent.filter(({ name }) => name !== "write").map(sentText);
    expectSame("answers", answers, slow.answers);
    const repairs = sent.filter(({ name }) => name === "write").map(sentText);
    expectSame("repairs", repairs, slow.repairs);
    for (const { name } of sent) coverage.hit(`sent ${name}`);
    expectSame(
      "frames for the host",
      fast.hosted,
      slow.hosted.map(({ bytes }) => bytes),
    );
    expectSame("requests that wait", fast.link(PEER, 3), slow.pending);
    const lastStamp = BigInt.asUintN(64, kernel.lastStampSeen());
    expectSame("last stamp", lastStamp, slow.lastStamp);
    let alive = 0;
    for (const [name, record] of slow.records) {
      const at = name.indexOf(":");
      const held = fast.held(name.slice(at + 1), Number(name.slice(0, at)));
      const kind =
        held && held.flags & OBJECT
          ? "object"
          : held && held.flags & TOMBSTONE
            ? "tombstone"
            : held && held.flags & TAGGED
              ? "tagged"
              : "value";
      const { stamp, node, expiry, value } = held ?? {};
      expectSame(`record ${name}`, { stamp, node, expiry, kind, value }, record);
      coverage.hit(`holds a ${record.kind}`);
      if (record.kind !== "tombstone") alive++;
    }
    let entries = 0;
    for (let database = 0; database < 16; database++) entries += kernel.hostCount(database);
    expectSame("live entries", entries, alive);
  }

  return {
    name: "peer-frames",
    states: STATES,
    codes: CODES,
    generate: generatePeerFrames,
    check,
    memoryBytes: () => 0,
  };
}
