import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CapabilitiesExports, CapabilityEntry } from "../../../src/codec/capabilities.ts";
import { readCapabilities } from "../../reference/capabilities.ts";
import { bareExports, codec, codeOf, placeAtEnd } from "./codec-under-test.ts";

const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
const u16 = (value: number) => [value & 255, value >> 8];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
const header = (entries: number) => [...ascii("CAP"), 1, ...u32(entries)];
const bytes = (...parts: number[][]) => Uint8Array.from(parts.flat());

const entry: fc.Arbitrary<CapabilityEntry> = fc.record({
  name: fc.string({ unit: "binary-ascii", maxLength: 20 }),
  values: fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 4 }),
});
const entryList = fc.array(entry, { maxLength: 5 });

/** What the codec says of `input`, in the terms of the slow reader. */
function outcome(input: Uint8Array) {
  const code = codeOf(() => codec.decodeCapabilities(input));
  if (code !== "none") return code;
  return codec
    .decodeCapabilities(input)
    .map(({ name, values }) => ({ name, values: values.map((value) => [...value]) }));
}

const sample = codec.encodeCapabilities([
  { name: "aae", values: [Uint8Array.of(1, 0, 0, 0)] },
  { name: "framing", values: [Uint8Array.of(1, 0, 0, 0), Uint8Array.of(), Uint8Array.of(2)] },
  { name: "", values: [] },
]);

describe("capability advertisements", () => {
  it("are these bytes", () => {
    expect(
      codec.encodeCapabilities([
        { name: "fr", values: [Uint8Array.of(1, 0, 0, 0), Uint8Array.of(7)] },
        { name: "x", values: [] },
      ]),
    ).toEqual(
      bytes(
        header(2),
        u16(2),
        ascii("fr"),
        u16(2),
        u32(4),
        [1, 0, 0, 0],
        u32(1),
        [7],
        u16(1),
        ascii("x"),
        u16(0),
      ),
    );
    expect(codec.encodeCapabilities([])).toEqual(bytes(header(0)));
  });

  it("come back as they were written: order, duplicates and empty names included", () => {
    fc.assert(
      fc.property(entryList, (entries) => {
        expect(codec.decodeCapabilities(codec.encodeCapabilities(entries))).toEqual(entries);
      }),
    );
    const doubled = [
      { name: "b", values: [] },
      { name: "b", values: [Uint8Array.of(1)] },
      { name: "a", values: [] },
    ];
    expect(codec.decodeCapabilities(codec.encodeCapabilities(doubled))).toEqual(doubled);
  });

  it("are truncated at every cut, and nothing else", () => {
    for (let cut = 0; cut < sample.length; cut++) {
      expect(codeOf(() => codec.decodeCapabilities(sample.subarray(0, cut)))).toBe("CAP_TRUNCATED");
    }
  });

  it("may be followed by anything", () => {
    const followed = bytes([...sample], [255, 0, 67, 65, 80]);
    expect(codec.decodeCapabilities(followed)).toEqual(codec.decodeCapabilities(sample));
  });

  it("give values that outlive their input", () => {
    const input = sample.slice();
    const [first] = codec.decodeCapabilities(input);
    input.fill(0);
    expect(first!.values[0]).toEqual(Uint8Array.of(1, 0, 0, 0));
  });

  it("are refused with a code for each rule", () => {
    const cases: [string, Uint8Array][] = [
      ["CAP_TRUNCATED", new Uint8Array()],
      ["CAP_TRUNCATED", bytes(ascii("nonsense").slice(0, 7))],
      ["CAP_BAD_MAGIC", bytes(ascii("nonsense"))],
      ["CAP_BAD_VERSION", bytes(ascii("CAP"), [2], u32(0))],
      ["CAP_TOO_MANY_ENTRIES", bytes(header(1025))],
      ["CAP_TOO_MANY_ENTRIES", bytes(header(0xffffffff))],
      ["CAP_NAME_TOO_LONG", bytes(header(1), u16(257))],
      ["CAP_NON_ASCII_NAME", bytes(header(1), u16(1), [0x80], u16(0))],
      ["CAP_VALUE_TOO_LONG", bytes(header(1), u16(0), u16(1), u32(16385))],
      ["CAP_VALUE_TOO_LONG", bytes(header(1), u16(0), u16(1), u32(0xffffffff))],
    ];
    for (const [code, input] of cases) {
      expect(outcome(input)).toBe(code);
      expect(readCapabilities(input)).toBe(code);
    }
  });

  it("reach every limit exactly", () => {
    const longest = [
      { name: "n".repeat(256), values: [new Uint8Array(16384).fill(9)] },
      ...Array.from({ length: 1023 }, () => ({ name: "", values: [] })),
    ];
    expect(codec.decodeCapabilities(codec.encodeCapabilities(longest))).toEqual(longest);
    const many = [{ name: "many", values: Array.from({ length: 65535 }, () => new Uint8Array()) }];
    expect(codec.decodeCapabilities(codec.encodeCapabilities(many))[0]!.values.length).toBe(65535);
  });

  it("are not written where a limit is broken", () => {
    const none = new Uint8Array();
    const cases: [string, CapabilityEntry[]][] = [
      ["CAP_TOO_MANY_ENTRIES", Array.from({ length: 1025 }, () => ({ name: "", values: [] }))],
      ["CAP_NAME_TOO_LONG", [{ name: "n".repeat(257), values: [] }]],
      ["CAP_NON_ASCII_NAME", [{ name: "größe", values: [] }]],
      ["CAP_TOO_MANY_VALUES", [{ name: "a", values: Array.from({ length: 65536 }, () => none) }]],
      ["CAP_VALUE_TOO_LONG", [{ name: "a", values: [new Uint8Array(16385)] }]],
    ];
    for (const [code, entries] of cases) {
      expect(codeOf(() => codec.encodeCapabilities(entries))).toBe(code);
    }
  });

  it("agree with the slow reader when bytes are changed, cut or junk", () => {
    const codes = new Set<unknown>();
    const changed = fc
      .tuple(
        entryList,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
        fc.nat(),
      )
      .map(([entries, changes, cut]) => {
        const input = codec.encodeCapabilities(entries);
        // The length fields are where it hurts: half of the changes go to the first 16 bytes.
        for (const [at, byte] of changes)
          input[(at % 2 ? at >> 1 : (at >> 1) % 16) % input.length] = byte;
        return input.subarray(0, cut % 3 === 0 ? cut % (input.length + 1) : input.length);
      });
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 40 })), (input) => {
        const expected = readCapabilities(input);
        codes.add(typeof expected === "string" ? expected : "whole");
        expect(outcome(input)).toEqual(expected);
      }),
      { numRuns: 5000, seed: 2 },
    );
    expect([...codes].sort()).toEqual([
      "CAP_BAD_MAGIC",
      "CAP_BAD_VERSION",
      "CAP_NAME_TOO_LONG",
      "CAP_NON_ASCII_NAME",
      "CAP_TOO_MANY_ENTRIES",
      "CAP_TRUNCATED",
      "CAP_VALUE_TOO_LONG",
      "whole",
    ]);
  });

  it("are never read beyond their end, whatever their lengths claim", () => {
    const { memory, reserve, capabilitiesCheck } = bareExports<CapabilitiesExports>();
    const out = reserve(16);
    const claims = [
      sample,
      bytes(header(1024)),
      bytes(header(1), u16(256)),
      bytes(header(1), u16(0), u16(65535)),
      bytes(header(1), u16(0), u16(1), u32(16384)),
    ];
    for (const claim of claims) {
      for (let cut = 0; cut <= claim.length; cut++) {
        const pointer = placeAtEnd(memory, claim.subarray(0, cut));
        const whole = claim === sample && cut === sample.length;
        expect(capabilitiesCheck(pointer, cut, out)).toBe(whole ? 0 : 1);
      }
    }
  });
});
