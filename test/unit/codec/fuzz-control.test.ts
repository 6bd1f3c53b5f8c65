/** Shows that the fuzzer finds what it is there to find: parsers that are broken on purpose must not pass. */
import { describe, expect, it } from "vitest";
import { FuzzBuffer } from "../../fuzz/fuzz-buffer.ts";
import { generateRequests } from "../../fuzz/generate/resp-request.ts";
import { Random } from "../../fuzz/random.ts";
import { FUZZ_MEMORY_BYTES, FUZZ_MIN_INPUTS, runFuzz } from "../../fuzz/run-fuzz.ts";
import { kernelFeedTarget } from "../../fuzz/targets/kernel-feed.ts";
import { respRequestTarget } from "../../fuzz/targets/resp-request.ts";

const INPUTS = 3000;

describe("the fuzzer", () => {
  it("finds nothing in the codec as it is", () => {
    expect(runFuzz(respRequestTarget(), INPUTS, 5).failures).toEqual([]);
  });

  it("finds an argument that is left out now and then, and says how to repeat it", () => {
    const broken = respRequestTarget({
      parse: (face) => (bytes, options) => {
        const found = face.parseRequests(bytes, options);
        for (const args of found.commands) if (args.length === 4) args.pop();
        return found;
      },
    });
    const { failures } = runFuzz(broken, INPUTS, 5);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(/number of arguments: the codec says 3, the slow parser 4/);
    const [, variant, hex] = /variant: (\d+), hex: "([0-9a-f]*)"/.exec(failures[0]!)!;
    const input = Uint8Array.from(Buffer.from(hex!, "hex"));
    const repeat = () => broken.check(input, Number(variant), { hit() {} } as never);
    expect(repeat).toThrow(/number of arguments/);
  });

  it("finds a wrong code, and a wrong count of consumed bytes", () => {
    const wrongCode = respRequestTarget({
      parse: (face) => (bytes, options) => {
        const found = face.parseRequests(bytes, options);
        return found.error?.code === "RESP_QUOTES"
          ? { ...found, status: "complete", error: null }
          : found;
      },
    });
    expect(runFuzz(wrongCode, INPUTS, 5).failures[0]).toMatch(/RESP_QUOTES/);
    const wrongEnd = respRequestTarget({
      parse: (face) => (bytes, options) => {
        const found = face.parseRequests(bytes, options);
        return found.commands.length === 3 ? { ...found, consumed: found.consumed - 1 } : found;
      },
    });
    expect(runFuzz(wrongEnd, INPUTS, 5).failures[0]).toMatch(/consumed/);
  });

  it("finds one byte read behind the input", () => {
    const broken = respRequestTarget({
      index:
        ({ respIndex }) =>
        (input, length, out, capacity, unauthenticated) =>
          respIndex(input, length + 1, out, capacity, unauthenticated),
    });
    expect(runFuzz(broken, INPUTS, 5).failures[0]).toMatch(/out of bounds/);
  });

  it("finds an answer that depends on what lies behind the input", () => {
    const broken = respRequestTarget({
      index: (exports) => (input, length, out, capacity, unauthenticated) => {
        const atTheEnd = input + length === exports.memory.buffer.byteLength;
        return exports.respIndex(
          input,
          length + (atTheEnd ? 0 : 1),
          out,
          capacity,
          unauthenticated,
        );
      },
    });
    expect(runFuzz(broken, INPUTS, 5).failures[0]).toMatch(/depends on what lies around the input/);
  });

  it("finds a byte written behind the input or the room for the output", () => {
    const behindInput = respRequestTarget({
      index: (exports) => (input, length, out, capacity, unauthenticated) => {
        const status = exports.respIndex(input, length, out, capacity, unauthenticated);
        new Uint8Array(exports.memory.buffer).fill(0, input + length, input + length + 1);
        return status;
      },
    });
    expect(runFuzz(behindInput, INPUTS, 5).failures[0]).toMatch(/wrote outside of the input/);
    const behindOutput = respRequestTarget({
      index: (exports) => (input, length, out, capacity, unauthenticated) => {
        const status = exports.respIndex(input, length, out, capacity, unauthenticated);
        new Uint32Array(exports.memory.buffer).fill(7, out / 4 + capacity, out / 4 + capacity + 1);
        return status;
      },
    });
    expect(runFuzz(behindOutput, INPUTS, 5).failures[0]).toMatch(/behind the room for its output/);
  });

  it("finds a door that loses a byte where the input is cut", () => {
    const broken = kernelFeedTarget((part) => (part.length > 40 ? part.slice(0, -1) : part));
    expect(runFuzz(broken, INPUTS, 5).failures[0]).toMatch(/replies/);
  });

  it("fails when a state or a code is never reached, and when the memory grows", () => {
    const target = respRequestTarget();
    const unreached = { ...target, states: [...target.states, "on the moon"] };
    expect(runFuzz(unreached, FUZZ_MIN_INPUTS, 5).failures).toEqual([
      "resp-request: never reached: on the moon",
    ]);
    const grown = { ...target, memoryBytes: () => FUZZ_MEMORY_BYTES + 65536 };
    expect(runFuzz(grown, 10, 5).failures[0]).toMatch(/memory has grown/);
  });

  it("makes the same inputs of the same seed, and others of another", () => {
    const inputsOf = (seed: number) => {
      const random = new Random(seed);
      const out = new FuzzBuffer();
      return Array.from({ length: 50 }, () => {
        out.clear();
        generateRequests(random, out);
        return Buffer.from(out.view()).toString("hex");
      });
    };
    expect(inputsOf(7)).toEqual(inputsOf(7));
    expect(new Set([...inputsOf(7), ...inputsOf(8)]).size).toBeGreaterThan(90);
  });

  it("has random numbers that are spread evenly, each bit of them", () => {
    const random = new Random(1);
    const ones = new Array<number>(32).fill(0);
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 20_000; i++) {
      const value = random.u32();
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (value >>> bit) & 1;
      buckets[random.below(10)]! += 1;
    }
    for (const count of ones) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    for (const count of buckets) expect(Math.abs(count - 2000)).toBeLessThan(250);
  });
});
