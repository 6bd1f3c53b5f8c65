// Fields of requests between nodes.
import { describe, expect, it } from "vitest";
import { RingletError } from "../../../src/base/errors.ts";
import { decodeExecute, encodeExecute } from "../../../src/ring/execute-request.ts";
import { FieldReader, FieldWriter } from "../../../src/ring/fields.ts";
import { fromLatin1 } from "../../../src/store/arguments.ts";

describe("fields", () => {
  it("are read as they were written, wherever the buffer has to grow", () => {
    for (let before = 200; before < 300; before++) {
      const long = new Uint8Array(before).fill(7);
      const written = new FieldWriter()
        .bytes(long)
        .u8(0xfe)
        .u16(0xfedc)
        .u32(0xfedcba98)
        .u64(0xfedcba9876543210n)
        .text("ä")
        .list([long, new Uint8Array(0)])
        .done();
      const reader = new FieldReader(written);
      expect(reader.bytes()).toEqual(long);
      expect([reader.u8(), reader.u16(), reader.u32()]).toEqual([0xfe, 0xfedc, 0xfedcba98]);
      expect(reader.u64()).toBe(0xfedcba9876543210n);
      expect(reader.text()).toBe("ä");
      expect(reader.list()).toEqual([long, new Uint8Array(0)]);
      reader.end();
    }
  });
});

describe("a request to run a command", () => {
  const options = { database: 3, protocol: 3, noTouch: true, level: "DC_SAFE_QUORUM" } as const;
  const id = { counter: 2n ** 40n, epoch: "mine", executorEpoch: "its", isRetry: true };
  const args = ["set", "k", "v".repeat(1000)].map(fromLatin1);
  const watched = [{ database: 1, key: fromLatin1("w"), version: "1.2.3" }];
  const REQUESTS = [
    { kind: "read", options, args },
    { kind: "write", options, id, args },
    { kind: "transaction", options, id, watched, commands: [{ database: 2, args }] },
    { kind: "versions", options, keys: args },
  ] as const;

  it.each(REQUESTS)("is read as it was written: $kind", (request) => {
    expect(decodeExecute(encodeExecute(request))).toEqual(request);
  });

  it.each(REQUESTS)("is refused when it is cut or has more: $kind", (request) => {
    const body = encodeExecute(request);
    const codeOf = (bytes: Uint8Array) => {
      try {
        decodeExecute(bytes);
      } catch (error) {
        return error instanceof RingletError ? error.code : String(error);
      }
      return "none";
    };
    for (let length = 0; length < body.length; length += 1 + (length >> 4)) {
      expect(codeOf(body.slice(0, length)), `${length} bytes`).toBe("MALFORMED_REQUEST");
    }
    expect(codeOf(Uint8Array.of(...body, 0))).toBe("MALFORMED_REQUEST");
  });
});
