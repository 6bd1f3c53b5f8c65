/** What the host answers as a replica to the frames that the kernel leaves to it. */
import { expect, test } from "vitest";
import { SILENT } from "../../../src/base/logger.ts";
import { FRAME } from "../../../src/link/frame.ts";
import { HostFrames, type HostFramesParts } from "../../../src/ring/host-frames.ts";
import { ANSWER, NOT_TOLD } from "../../../src/store/kernel-ring.ts";
import * as bytes from "../ring-kernel/peer-bytes.ts";
import { stampAt } from "../ring-kernel/peer-kernel.ts";

import { openKernel, openStore } from "../store/store-under-test.ts";

const PEER = 1;

/** A replica that has lost its memory, and what it answers to a frame: "acknowledged", a code of FAIL, or a stamp that is held. */
function forgetful(forgotten: bigint) {
  let answered: string | undefined;
  const kernel = openKernel();
  const peerAnswer = (_link: number, kind: number, at: number, length: number): number => {
    const data = new DataView(kernel.memory.buffer, at, length);
    if (kind === ANSWER.acknowledge) answered = "acknowledged";
    else if (kind === ANSWER.fail) answered = `fail ${at}`;
    else if (data.getUint8(4) === FRAME.stale) {
      const stamp = data.getBigUint64(8, true) - stampAt(0);
      answered = `stale ${stamp >> 16n}/${data.getUint16(16, true)}`;
    }
    return 1;
  };
  const store = openStore({ tombstones: true }, { ...kernel, peerAnswer });
  const parts = { store, log: SILENT, ring: { forgotten }, outboxes: { flushLink: () => {} } };
  const frames = new HostFrames(parts as unknown as HostFramesParts);
  return {
    answerTo(frame: Uint8Array): string | undefined {
      answered = undefined;
      frames.handle(PEER, frame);
      return answered;
    },
  };
}

test("a write at or below what a replica may have acknowledged and forgotten is not acknowledged", () => {
  const replica = forgetful(stampAt(5));
  expect(replica.answerTo(bytes.write("k", "older", stampAt(4)))).toBe("stale 5/65535");
  expect(replica.answerTo(bytes.write("k", "newer", stampAt(6)))).toBe("acknowledged");
  const writes = [bytes.write("a", "1", stampAt(5)), bytes.write("b", "2", stampAt(5))];
  expect(replica.answerTo(bytes.batch(stampAt(5), 1, writes))).toBe("stale 5/65535");
  expect(replica.answerTo(bytes.floor(stampAt(2)))).toBe("acknowledged");
});

test("neither is any before that is known", () => {
  const replica = forgetful(NOT_TOLD);
  expect(replica.answerTo(bytes.write("k", "value", stampAt(4)))).toBe("fail 1");
});

test("one that has forgotten nothing acknowledges all that it applies", () => {
  const replica = forgetful(0n);
  expect(replica.answerTo(bytes.write("k", "value", stampAt(4)))).toBe("acknowledged");
  expect(replica.answerTo(bytes.write("k", "older", stampAt(3)))).toBe("stale 4/1");
});
