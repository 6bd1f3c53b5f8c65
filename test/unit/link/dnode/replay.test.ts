/** Every recorded connection between C nodes through both machines of this node's links: the same requests in, the same frames out. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DNODE_ENCRYPTED, DNODE_TYPE, type DnodeFrameRead } from "../../../../src/codec/dnode.ts";
import { DEFAULT_MBUF_BYTES } from "../../../../src/codec/dnode-cipher.ts";
import { newDnodeCounters } from "../../../../src/link/dnode/counters.ts";
import { DnodeInbound, type InboundEvent } from "../../../../src/link/dnode/inbound.ts";
import { DNODE_LIMITS } from "../../../../src/link/dnode/limits.ts";
import { DnodeOutbound } from "../../../../src/link/dnode/outbound.ts";
import { sessionCipher } from "../../../../src/link/dnode/payload-cipher.ts";
import { codec } from "../../codec/codec-under-test.ts";

const folder = new URL("../../../fixtures/dnode/", import.meta.url);

/** Rows of a table, without its head. */
function rows(name: string): string[][] {
  const [, ...lines] = readFileSync(new URL(name, folder), "utf8").trimEnd().split("\n");
  return lines.map((line) => line.split("\t"));
}

/** Session keys of encrypted connections, by the file of who dialled. The fixtures have no RSA key to unwrap them with. */
const sessionKeys = new Map(
  rows("session-keys.tsv").map(([file = "", key = ""]) => [
    file,
    Uint8Array.from(Buffer.from(key, "hex")),
  ]),
);

/** Bytes of the gossip text that stand between two frames: the C engine frees the text while it is sent. */
const STRAY: Readonly<Record<string, number>> = { "gossip-none/1-n2-to-n1.bin": 43 };
/** Requests whose stated length is too high by that of the header that the C engine received them with. */
const WRONG_LENGTHS: Readonly<Record<string, readonly number[]>> = {
  "relay-req-forward/12-n1-to-n2.bin": [0, 1],
};
/** A C node sent the tail of a value in place of the command, because it had encrypted the buffers that it was to copy. */
const GARBAGE = "fwd-all-encrypted/8-n1-to-n4.bin";

/** The connections: who dialled sent requests or gossip. */
const connections = (() => {
  const files = [...new Set(rows("frames.tsv").map(([file = ""]) => file))];
  return files.flatMap((file) => {
    const bytes = new Uint8Array(readFileSync(new URL(file, folder)));
    const payload = file.startsWith("memcache") ? ("memcached" as const) : ("redis" as const);
    const { frames } = codec.parseDnodes(bytes, 0, { payload });
    if (frames[0]?.type === DNODE_TYPE.response) return [];
    const back = file.replace(/([^-]+)-to-([^.]+)\.bin$/, "$2-to-$1.bin");
    const answers = files.includes(back)
      ? new Uint8Array(readFileSync(new URL(back, folder)))
      : new Uint8Array(0);
    const key = sessionKeys.get(file);
    return [
      {
        file,
        payload,
        bytes,
        frames,
        answers,
        answerFrames: codec.parseDnodes(answers, 0, { payload }).frames,
        key: key && {
          cipher: sessionCipher(codec, key, DEFAULT_MBUF_BYTES),
          wrapped: frames[0]!.data,
        },
      },
    ];
  });
})();
type Recorded = (typeof connections)[number];

const isRequest = ({ type }: DnodeFrameRead) =>
  type === DNODE_TYPE.request || type === DNODE_TYPE.requestForward;

/** The plain payload of a recorded frame. */
function plainOf({ key }: Recorded, frame: DnodeFrameRead): Uint8Array {
  if (frame.flags !== DNODE_ENCRYPTED) return frame.payload;
  return key!.cipher.open(frame.payload, () => true);
}

/** A recorded frame with the length that its payload has. */
const corrected = (frame: DnodeFrameRead) => Buffer.from(codec.writeDnode(frame));

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, i) => bytes.slice(i * size, (i + 1) * size));
}

describe("the recorded connections of C nodes", () => {
  it("are all there, five of them encrypted", () => {
    expect(connections.filter(({ key }) => key !== undefined)).toHaveLength(5);
    const count = connections.reduce(
      (sum, { frames, answerFrames }) => sum + frames.length + answerFrames.length,
      0,
    );
    expect(count).toBe(rows("frames.tsv").filter(([, , id]) => id !== "stray").length);
  });

  it.each(connections)("$file is taken in, and answered with the same frames", (recorded) => {
    const { file, bytes, frames, answers, answerFrames, payload, key } = recorded;
    for (const size of [1, 100, bytes.length]) {
      if (bytes.length / size > 3000) continue;
      const counters = newDnodeCounters();
      const inbound = new DnodeInbound({
        codec,
        payload,
        limits: DNODE_LIMITS,
        counters,
        unwrapKey: (wrapped) =>
          Buffer.compare(wrapped, key!.wrapped) === 0 ? key!.cipher : undefined,
      });
      const events: InboundEvent[] = [];
      const sent: Uint8Array[] = [];
      for (const piece of pieces(bytes, size)) {
        for (const event of inbound.received(piece)) {
          events.push(event);
          if (event.kind !== "request") continue;
          const answer = answerFrames[event.request.ticket];
          // A C node that is joining answers nothing.
          if (answer === undefined) continue;
          const step = inbound.answer(event.request.ticket, plainOf(recorded, answer));
          expect(step.isOver).toBe(false);
          sent.push(step.send);
        }
      }
      if (file === GARBAGE) {
        expect(events).toEqual([{ kind: "end", code: "DECRYPT_FAILED" }]);
        continue;
      }
      expect(Buffer.compare(Buffer.concat(sent), answers)).toBe(0);
      expect(events.map(({ kind }) => kind)).toEqual(
        frames.map((frame) => (isRequest(frame) ? "request" : "gossip")),
      );
      for (const [i, event] of events.entries()) {
        if (event.kind === "end") continue;
        const taken = event.kind === "request" ? event.request.payload : event.payload;
        expect(Buffer.compare(taken, plainOf(recorded, frames[i]!))).toBe(0);
        if (event.kind === "request") {
          const isForwarded = frames[i]!.type === DNODE_TYPE.requestForward;
          expect(event.request.isForwarded).toBe(isForwarded);
        }
      }
      expect(counters.skippedBytes).toBe(STRAY[file] ?? 0);
      expect(inbound.outstanding).toBe(frames.filter(isRequest).length - answerFrames.length);
    }
  });

  it.each(connections.filter(({ file }) => file !== GARBAGE))(
    "$file is made, and its answers are matched",
    (recorded) => {
      const { file, bytes, frames, answers, answerFrames, payload, key } = recorded;
      const ids = frames.filter(isRequest).map(({ id }) => id);
      let next = 0;
      const outbound = new DnodeOutbound({
        codec,
        payload,
        limits: DNODE_LIMITS,
        counters: newDnodeCounters(),
        sameDc: frames[0]!.sameDc,
        nextId: () => ids[next++]!,
        key,
      });
      const differing: number[] = [];
      for (const [i, frame] of frames.entries()) {
        const plain = plainOf(recorded, frame);
        const sent = isRequest(frame)
          ? outbound.request(plain, 1000, frame.type === DNODE_TYPE.requestForward).send
          : outbound.gossip(plain, frame.id);
        const wanted = bytes.subarray(frame.start, frame.end);
        if (Buffer.compare(sent, wanted) !== 0) differing.push(i);
        expect(Buffer.compare(sent, corrected(frame))).toBe(0);
      }
      expect(differing).toEqual(WRONG_LENGTHS[file] ?? []);
      expect(outbound.outstanding).toEqual(ids);

      const events = pieces(answers, 100).flatMap((piece) => outbound.received(piece));
      expect(events.map((event) => event.kind === "answer" && event.id)).toEqual(
        answerFrames.map(({ id }) => id),
      );
      for (const [i, event] of events.entries()) {
        const wanted = plainOf(recorded, answerFrames[i]!);
        expect(event.kind === "answer" && Buffer.compare(event.payload, wanted)).toBe(0);
      }
      expect(outbound.outstanding).toEqual(ids.slice(answerFrames.length));
    },
  );
});
