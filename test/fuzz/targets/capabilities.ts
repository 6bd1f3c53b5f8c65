/** Capability advertisements: the typed face and the check at the edges of memory, against the slow reader. */
import { instantiateSync } from "@assemblyscript/loader";
import { type CapabilitiesExports, capabilitiesFace } from "../../../src/codec/capabilities.ts";
import { CodecInstance } from "../../../src/codec/instance.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { readCapabilities } from "../../reference/capabilities.ts";
import { EdgeMemory } from "../edge-memory.ts";
import { generateCapabilities } from "../generate/capabilities.ts";
import { type Coverage, expectSame, type FuzzTarget, sameBytes } from "../target.ts";

const CODES = [
  "CAP_TRUNCATED",
  "CAP_BAD_MAGIC",
  "CAP_BAD_VERSION",
  "CAP_TOO_MANY_ENTRIES",
  "CAP_NAME_TOO_LONG",
  "CAP_NON_ASCII_NAME",
  "CAP_VALUE_TOO_LONG",
];

export function capabilitiesTarget(): FuzzTarget {
  const exports = instantiateSync(readModule("codec")).instance
    .exports as unknown as CapabilitiesExports;
  const face = capabilitiesFace(new CodecInstance(exports));
  const edge = new EdgeMemory<CapabilitiesExports>();

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    const slow = readCapabilities(input);
    const status = edge.exports.capabilitiesCheck(edge.placeAtEnd(input), input.length, edge.out);
    const stopped = edge.word(edge.out);
    const inside = edge.placeInside(input, variant);
    const again = edge.exports.capabilitiesCheck(inside, input.length, edge.out);
    expectSame("answer among other bytes", [again, edge.word(edge.out)], [status, stopped]);
    expectSame(
      "status",
      status === 0 ? "whole" : CODES[status - 1],
      typeof slow === "string" ? slow : "whole",
    );
    if (typeof slow === "string") {
      expectSame(
        "code",
        codeOf(() => face.decodeCapabilities(input)),
        slow,
      );
      coverage.hit(slow);
      return;
    }
    const fast = face.decodeCapabilities(input);
    expectSame(
      "entries",
      fast,
      slow.map(({ name, values }) => ({
        name,
        values: values.map((value) => Uint8Array.from(value)),
      })),
    );
    const written = face.encodeCapabilities(fast);
    if (!sameBytes(written, input.subarray(0, stopped)))
      expectSame("written again", written, input.subarray(0, stopped));
    coverage.hit(slow.length === 0 ? "no entries" : "entries");
    if (stopped < input.length) coverage.hit("bytes behind");
    edge.checkSize();
  }

  return {
    name: "capabilities",
    states: ["no entries", "entries", "bytes behind"],
    codes: CODES,
    generate: generateCapabilities,
    check,
    memoryBytes: () => exports.memory.buffer.byteLength,
  };
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return "none";
}
