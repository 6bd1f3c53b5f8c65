/** Shows that the fuzzer of frames between nodes finds a kernel that was handed something else than what came. */
import { expect, test } from "vitest";
import { runFuzz } from "../../fuzz/run-fuzz.ts";
import { peerFramesTarget } from "../../fuzz/targets/peer-frames.ts";

const INPUTS = 3000;

test("as it is, it agrees with the slow replica", () => {
  expect(runFuzz(peerFramesTarget(), INPUTS, 3).failures).toEqual([]);
});

/** Changes one byte of the first frame of this type that comes whole in a chunk. */
function changed(type: number, offset: number, change: (byte: number) => number) {
  return (part: Uint8Array): Uint8Array => {
    const view = new DataView(part.buffer, part.byteOffset, part.length);
    for (let at = 0; at + 8 <= part.length; ) {
      const length = view.getUint32(at, true);
      if (length < 8 || at + length > part.length) break;
      if (part[at + 4] === type && offset < length) {
        const copy = part.slice();
        copy[at + offset] = change(copy[at + offset]!);
        return copy;
      }
      at += length;
    }
    return part;
  };
}

test.each([
  ["a stamp one higher", changed(0x10, 8, (byte) => byte + 1)],
  ["another node", changed(0x10, 16, (byte) => byte ^ 1)],
  ["another byte of a key", changed(0x10, 28, (byte) => byte ^ 1)],
  ["one acknowledgement more", changed(0x18, 8, (byte) => byte + 1)],
  ["another database", changed(0x11, 5, (byte) => byte ^ 1)],
])("finds %s", (_, deliver) => {
  expect(runFuzz(peerFramesTarget(deliver), INPUTS, 3).failures[0]).toMatch(/the codec says/);
});
