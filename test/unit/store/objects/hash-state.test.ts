/** The bytes of a hash's state: fixed by a vector, whole again after a round trip, refused where they are anything else. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHashState, encodeHashState } from "../../../../src/store/objects/hash-state.ts";
import type { HashState } from "../../../../src/store/objects/stamped-hash.ts";
import { stampFrom } from "../../../../src/store/stamp.ts";

const STATE: HashState = {
  newest: stampFrom(0x0102030405060708n, 9),
  deleted: stampFrom(0x0001000000000002n, 3),
  expiry: 0x010203040506 + 1000,
  expiryStamp: stampFrom(0x0102030405060000n, 0xffff),
  fields: [
    { field: "f\xff", stamp: stampFrom(0x0102030405060708n, 9), value: "value" },
    { field: "", stamp: stampFrom(0x0002000000000000n, 0), value: undefined },
    { field: "long", stamp: stampFrom(0x0002000000000000n, 1), value: new Uint8Array(512).fill(7) },
  ],
};

const VECTOR = [
  "01 00 0300 ffff 0000 0200000000000100 0000060504030201 03000000",
  "0807060504030201 0900 01 00 02000000 05000000 66ff 76616c7565",
  "0000000000000200 0000 00 00 00000000 00000000",
  `0000000000000200 0100 01 00 04000000 00020000 6c6f6e67 ${"07".repeat(512)}`,
]
  .join("")
  .replaceAll(" ", "");

const decode = (bytes: Uint8Array): HashState => decodeHashState(bytes, STATE.newest, STATE.expiry);
const MALFORMED = expect.objectContaining({ code: "MALFORMED_OBJECT" });

describe("the state of a hash", () => {
  test("has the bytes that the layout says", () => {
    expect(Buffer.from(encodeHashState(STATE)).toString("hex")).toBe(VECTOR);
    expect(decode(Buffer.from(VECTOR, "hex"))).toEqual(STATE);
  });

  test("is refused when it is cut anywhere, or goes on", () => {
    const bytes = encodeHashState(STATE);
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decode(bytes.subarray(0, end)), `${end}`).toThrow(MALFORMED);
    }
    expect(() => decode(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(MALFORMED);
  });

  test.each([
    ["another kind", 0, 2],
    ["reserved bytes", 1, 1],
    ["reserved bytes", 6, 1],
    ["a huge number of fields", 27, 0xff],
    ["bad flags of a field", 28 + 10, 2],
    ["a reserved byte of a field", 28 + 11, 1],
    ["a long field", 28 + 15, 0xff],
    ["a long value", 28 + 19, 0xff],
    ["a field newer than the whole", 28 + 7, 2],
    ["a deletion newer than the whole", 15, 2],
    ["an expiry set by a newer write", 23, 2],
  ])("is refused with %s", (_, at, byte) => {
    const bytes = encodeHashState(STATE);
    bytes[at] = byte;
    expect(() => decode(bytes)).toThrow(MALFORMED);
  });

  test("is refused with a field twice, an expiry before its stamp, or one without a stamp", () => {
    const [field] = STATE.fields;
    const twice = encodeHashState({ ...STATE, fields: [field!, field!] });
    expect(() => decode(twice)).toThrow(MALFORMED);
    const { newest, expiryStamp } = STATE;
    expect(() => decodeHashState(encodeHashState(STATE), newest, expiryStamp.ms)).toThrow(
      MALFORMED,
    );
    const without = encodeHashState({ ...STATE, expiryStamp: stampFrom(0n, 0) });
    expect(() => decodeHashState(without, newest, 1)).toThrow(MALFORMED);
  });

  test("is read or refused whatever the bytes are", () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.nat(610), fc.nat(255))
        .map(([at, byte]) => Buffer.from(encodeHashState(STATE)).fill(byte, at, at + 1)),
    );
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        try {
          const state = decode(bytes);
          expect(Buffer.from(encodeHashState(state)).equals(bytes)).toBe(true);
        } catch (error) {
          expect(error).toEqual(MALFORMED);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
