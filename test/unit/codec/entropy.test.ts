import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EntropyExports } from "../../../src/codec/entropy.ts";
import type { SnapshotOpenerOptions } from "../../../src/codec/entropy-stream.ts";
import { nodeAes } from "../../../src/runtime/node/aes.ts";
import { bareExports, codec, codeOf, placeAtEnd } from "./codec-under-test.ts";

const u32 = (value: number) => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
const bytes = (...parts: ArrayLike<number>[]) =>
  Uint8Array.from(parts.flatMap((part) => [...Array.from(part)]));
const cipher = {
  key: new TextEncoder().encode("0123456789012345"),
  iv: new TextEncoder().encode("abcdefghijklmnop"),
};
const negotiation = (header: number, buffer: number, ciphered: number) =>
  bytes(u32(0x64640001), u32(1), u32(header), u32(buffer), u32(ciphered));

interface Channel {
  plain: Uint8Array;
  encrypted: boolean;
  chunkBytes: number;
  headerBytes: number;
}

/** A whole channel as a sender writes it. */
function seal({ plain, encrypted, chunkBytes, headerBytes }: Channel): Uint8Array {
  const parts = [
    codec.encodeNegotiation({ headerBytes, bufferBytes: chunkBytes }),
    codec.encodeSnapshotHeader({ totalBytes: plain.length, encrypted }, headerBytes),
  ];
  for (let at = 0; at < plain.length; at += chunkBytes) {
    parts.push(
      codec.sealChunk(plain.subarray(at, at + chunkBytes), encrypted ? cipher : undefined),
    );
  }
  return bytes(...parts);
}

/** Opens `stream` handed over in the given pieces, as plain bytes or as the code of the error. */
function open(
  stream: Uint8Array,
  cuts: readonly number[],
  options: SnapshotOpenerOptions,
): Uint8Array | string {
  const opener = codec.openSnapshot(options);
  const opened: Uint8Array[] = [];
  const code = codeOf(() => {
    let at = 0;
    for (const cut of [...cuts, stream.length]) {
      opened.push(...opener.push(stream.slice(at, cut)));
      at = cut;
    }
    opener.end();
  });
  return code === "none" ? bytes(...opened) : code;
}

const channel: fc.Arbitrary<Channel> = fc.record({
  plain: fc.uint8Array({ maxLength: 200 }),
  encrypted: fc.boolean(),
  chunkBytes: fc.integer({ min: 1, max: 64 }),
  headerBytes: fc.integer({ min: 8, max: 40 }),
});

describe("entropy headers", () => {
  it("are these bytes", () => {
    expect(codec.encodeNegotiation()).toEqual(negotiation(1024, 16384, 16400));
    expect(
      codec.encodeNegotiation({ headerBytes: 8, bufferBytes: 1, cipherBytes: 5242880 }),
    ).toEqual(negotiation(8, 1, 5242880));
    expect(codec.encodeSnapshotHeader({ totalBytes: 0x01020304, encrypted: true }, 16)).toEqual(
      bytes([1, 2, 3, 4], u32(1), u32(0), u32(0)),
    );
    expect(codec.encodeSnapshotHeader({ totalBytes: 0, encrypted: false }).length).toBe(1024);
  });

  it("come back as they were written", () => {
    const sizes = { headerBytes: 1024, bufferBytes: 5242880, cipherBytes: 1 };
    expect(codec.decodeNegotiation(codec.encodeNegotiation(sizes))).toEqual(sizes);
    for (const header of [
      { totalBytes: 0, encrypted: false },
      { totalBytes: 0xfffffffe, encrypted: true },
    ]) {
      expect(codec.decodeSnapshotHeader(codec.encodeSnapshotHeader(header, 8))).toEqual(header);
    }
  });

  it("ignore what stands in the zeros of a snapshot header", () => {
    expect(codec.decodeSnapshotHeader(bytes(u32(7), u32(1), [1, 2, 3]))).toEqual({
      totalBytes: 7,
      encrypted: true,
    });
  });

  it("are refused with a code for each rule", () => {
    const good = negotiation(1024, 16384, 16400);
    const cases: [string, Uint8Array][] = [
      ["ENTROPY_BAD_MAGIC", bytes(u32(0x64640002), good.subarray(4))],
      // The C engine's magic is the decimal number.
      ["ENTROPY_BAD_MAGIC", bytes(u32(64640001), good.subarray(4))],
      ["ENTROPY_BAD_COMMAND", bytes(u32(0x64640001), u32(2), good.subarray(8))],
      ["ENTROPY_BAD_HEADER_SIZE", negotiation(7, 1, 1)],
      ["ENTROPY_BAD_HEADER_SIZE", negotiation(1025, 1, 1)],
      ["ENTROPY_BAD_BUFFER_SIZE", negotiation(8, 0, 1)],
      ["ENTROPY_BAD_BUFFER_SIZE", negotiation(8, 5242881, 1)],
      ["ENTROPY_BAD_CIPHER_SIZE", negotiation(8, 1, 0)],
      ["ENTROPY_BAD_CIPHER_SIZE", negotiation(8, 1, 0xffffffff)],
    ];
    for (const [code, input] of cases)
      expect(codeOf(() => codec.decodeNegotiation(input))).toBe(code);
    for (let cut = 0; cut < 20; cut++) {
      expect(codeOf(() => codec.decodeNegotiation(good.subarray(0, cut)))).toBe(
        "ENTROPY_TRUNCATED",
      );
    }
    for (const [code, input] of [
      ["ENTROPY_BAD_FLAG", bytes(u32(1), u32(2))],
      ["ENTROPY_TOO_LARGE", bytes(u32(0xffffffff), u32(0))],
      ["ENTROPY_TRUNCATED", bytes(u32(1), [0, 0, 0])],
    ] as const) {
      expect(codeOf(() => codec.decodeSnapshotHeader(input))).toBe(code);
    }
  });

  it("are not written with sizes that nobody accepts", () => {
    for (const value of [-1, 0, 7.5, 2 ** 32 + 16, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(() => codec.encodeNegotiation({ headerBytes: value }))).toBe(
        "ENTROPY_BAD_HEADER_SIZE",
      );
      expect(codeOf(() => codec.encodeNegotiation({ bufferBytes: value, cipherBytes: 1 }))).toBe(
        "ENTROPY_BAD_BUFFER_SIZE",
      );
      expect(codeOf(() => codec.encodeNegotiation({ cipherBytes: value }))).toBe(
        "ENTROPY_BAD_CIPHER_SIZE",
      );
      const header = { totalBytes: 1, encrypted: false };
      expect(codeOf(() => codec.encodeSnapshotHeader(header, value))).toBe(
        "ENTROPY_BAD_HEADER_SIZE",
      );
    }
    for (const totalBytes of [-1, 0.5, 0xffffffff, Number.NaN]) {
      expect(codeOf(() => codec.encodeSnapshotHeader({ totalBytes, encrypted: false }))).toBe(
        "ENTROPY_TOO_LARGE",
      );
    }
  });

  it("are never read beyond their end", () => {
    const { memory, ...calls } = bareExports<EntropyExports>();
    expect(calls.entropyNegotiation(placeAtEnd(memory, negotiation(8, 1, 1)))).toBe(0);
    expect(calls.entropySnapshotHeader(placeAtEnd(memory, bytes(u32(1), u32(1))))).toBe(0);
    expect(calls.entropyChunkLength(placeAtEnd(memory, bytes(u32(0xffffffff))), 0xffffffff)).toBe(
      0,
    );
  });
});

describe("chunks", () => {
  const plain = Uint8Array.from({ length: 100 }, (_, i) => i);

  it("are a length and the bytes, or their cipher text", () => {
    expect(codec.sealChunk(plain)).toEqual(bytes(u32(100), plain));
    expect(codec.sealChunk(plain, cipher)).toEqual(
      bytes(u32(112), nodeAes.encrypt(cipher.key, cipher.iv, plain)),
    );
  });

  it("come back, wherever in a buffer they lie", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 3000 }),
        fc.boolean(),
        fc.nat(20),
        (data, encrypted, before) => {
          const options = { ...(encrypted ? { cipher } : {}), offset: before };
          const chunk = codec.sealChunk(data, options.cipher);
          const opened = codec.openChunk(bytes(new Uint8Array(before), chunk, [1, 2, 3]), options);
          expect([opened.end, Buffer.compare(opened.plain, data)]).toEqual([
            before + chunk.length,
            0,
          ]);
        },
      ),
    );
  });

  it("are truncated at every cut", () => {
    const chunk = codec.sealChunk(plain, cipher);
    for (let cut = 0; cut < chunk.length; cut++) {
      expect(codeOf(() => codec.openChunk(chunk.subarray(0, cut), { cipher }))).toBe(
        "ENTROPY_TRUNCATED",
      );
    }
    expect(codeOf(() => codec.openChunk(chunk, { cipher, offset: 1000 }))).toBe(
      "ENTROPY_TRUNCATED",
    );
  });

  it("are refused by their length before their bytes are there", () => {
    const cases = [
      ["ENTROPY_EMPTY_CHUNK", u32(0), {}],
      ["ENTROPY_CHUNK_TOO_LONG", u32(5242881), {}],
      ["ENTROPY_CHUNK_TOO_LONG", u32(0xffffffff), {}],
      ["ENTROPY_CHUNK_TOO_LONG", u32(101), { cipherBytes: 100 }],
      ["ENTROPY_TRUNCATED", u32(100), { cipherBytes: 100 }],
    ] as const;
    for (const [code, input, options] of cases) {
      expect(codeOf(() => codec.openChunk(bytes(input), options))).toBe(code);
    }
  });

  it("fail to open in one way, whatever is wrong with them", () => {
    const chunk = codec.sealChunk(plain, cipher);
    const wrongKey = { key: cipher.iv, iv: cipher.iv };
    expect(codeOf(() => codec.openChunk(chunk, { cipher: wrongKey }))).toBe("DECRYPT_FAILED");
    expect(codeOf(() => codec.openChunk(bytes(u32(15), chunk.subarray(4)), { cipher }))).toBe(
      "DECRYPT_FAILED",
    );
    const short = { key: new Uint8Array(15), iv: cipher.iv };
    expect(codeOf(() => codec.openChunk(chunk, { cipher: short }))).toBe("AES_BAD_KEY");
  });

  it("are not written empty or above the limit, padding included", () => {
    const longest = new Uint8Array(5242880);
    expect(codec.sealChunk(longest).length).toBe(5242884);
    expect(codec.sealChunk(longest.subarray(1), cipher).length).toBe(5242884);
    expect(codeOf(() => codec.sealChunk(longest, cipher))).toBe("ENTROPY_CHUNK_TOO_LONG");
    expect(codeOf(() => codec.sealChunk(new Uint8Array(5242881)))).toBe("ENTROPY_CHUNK_TOO_LONG");
    expect(codeOf(() => codec.sealChunk(new Uint8Array()))).toBe("ENTROPY_EMPTY_CHUNK");
  });
});

describe("a channel opened as it arrives", () => {
  const options = (encrypted: boolean) => (encrypted ? { cipher } : {});
  const sample: Channel = {
    plain: Uint8Array.from({ length: 70 }, (_, i) => i),
    encrypted: true,
    chunkBytes: 32,
    headerBytes: 12,
  };

  it("gives the same bytes wherever it is cut in two, and byte by byte", () => {
    for (const encrypted of [true, false]) {
      const stream = seal({ ...sample, encrypted });
      for (let cut = 0; cut <= stream.length; cut++) {
        expect(open(stream, [cut], options(encrypted))).toEqual(sample.plain);
      }
      expect(open(stream, [...stream.keys()], options(encrypted))).toEqual(sample.plain);
    }
  });

  it("gives what was sealed, for any sizes and cuts", () => {
    fc.assert(
      fc.property(channel, fc.array(fc.nat(), { maxLength: 8 }), (sent, numbers) => {
        const stream = seal(sent);
        const cuts = numbers.map((n) => n % (stream.length + 1)).sort((a, b) => a - b);
        expect(open(stream, cuts, options(sent.encrypted))).toEqual(sent.plain);
      }),
      { numRuns: 300 },
    );
  });

  it("is truncated at every earlier end", () => {
    const stream = seal(sample);
    for (let end = 0; end < stream.length; end++) {
      expect(open(stream.subarray(0, end), [], { cipher })).toBe("ENTROPY_TRUNCATED");
    }
  });

  it("tells what has come so far", () => {
    const stream = seal(sample);
    const opener = codec.openSnapshot({ cipher });
    expect([opener.negotiation, opener.header, opener.finished]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    opener.push(stream.subarray(0, 32));
    expect(opener.negotiation).toEqual({ headerBytes: 12, bufferBytes: 32, cipherBytes: 48 });
    expect(opener.header).toEqual({ totalBytes: 70, encrypted: true });
    expect(opener.push(stream.subarray(32)).map((chunk) => chunk.length)).toEqual([32, 32, 6]);
    expect(opener.finished).toBe(true);
  });

  it("hands out copies", () => {
    const stream = seal({ ...sample, encrypted: false });
    const opener = codec.openSnapshot();
    const opened = [...stream].flatMap((byte) => opener.push(Uint8Array.of(byte)));
    const again = codec.openSnapshot().push(stream);
    stream.fill(0);
    expect(bytes(...opened)).toEqual(sample.plain);
    expect(bytes(...again)).toEqual(sample.plain);
  });

  it("is finished at once when the snapshot is empty", () => {
    expect(open(seal({ ...sample, plain: new Uint8Array() }), [], { cipher })).toEqual(
      new Uint8Array(),
    );
  });

  it("is refused with a code for each rule", () => {
    const begin = (total: number, flag: number) => [negotiation(8, 32, 48), u32(total), u32(flag)];
    const emptied = codec.sealChunk(new Uint8Array(16), cipher).slice(0, 4 + 16);
    emptied.set([0, 0, 0, 16]);
    emptied.set(nodeAes.encrypt(cipher.key, cipher.iv, new Uint8Array()), 4);
    const cases: [string, SnapshotOpenerOptions, ArrayLike<number>[]][] = [
      ["ENTROPY_BAD_MAGIC", {}, [new Uint8Array(20)]],
      ["ENTROPY_BAD_FLAG", {}, begin(1, 9)],
      ["ENTROPY_TOO_LARGE", {}, begin(0xffffffff, 0)],
      ["ENTROPY_TOO_LARGE", { maxTotalBytes: 99 }, begin(100, 0)],
      ["ENTROPY_NO_KEY", {}, begin(1, 1)],
      ["ENTROPY_NOT_ENCRYPTED", { cipher }, begin(1, 0)],
      ["none", { cipher, allowPlain: true }, [...begin(1, 0), u32(1), [7]]],
      ["ENTROPY_EMPTY_CHUNK", {}, [...begin(1, 0), u32(0)]],
      ["ENTROPY_EMPTY_CHUNK", { cipher }, [...begin(1, 1), emptied]],
      ["ENTROPY_CHUNK_TOO_LONG", {}, [...begin(100, 0), u32(49)]],
      ["ENTROPY_OVERSHOOT", {}, [...begin(1, 0), u32(2), [1, 2]]],
      ["ENTROPY_TRAILING", {}, [...begin(1, 0), u32(1), [7], [0]]],
      ["ENTROPY_TRAILING", {}, [...begin(0, 0), [0]]],
      ["DECRYPT_FAILED", { cipher }, [...begin(1, 1), u32(16), new Uint8Array(16)]],
      ["DECRYPT_FAILED", { cipher }, [...begin(1, 1), u32(15), new Uint8Array(15)]],
    ];
    for (const [code, given, parts] of cases) {
      const stream = bytes(...parts);
      for (const cuts of [[], [...stream.keys()]]) {
        const outcome = open(stream, cuts, given);
        expect(typeof outcome === "string" ? outcome : "none").toBe(code);
      }
    }
  });

  it("stays failed", () => {
    const opener = codec.openSnapshot();
    expect(codeOf(() => opener.push(new Uint8Array(20)))).toBe("ENTROPY_BAD_MAGIC");
    expect(codeOf(() => opener.push(seal({ ...sample, encrypted: false })))).toBe(
      "ENTROPY_BAD_MAGIC",
    );
    expect(codeOf(() => opener.end())).toBe("ENTROPY_BAD_MAGIC");
    expect(opener.finished).toBe(false);
  });

  it("reserves no memory for a length that nothing follows", () => {
    const openers = [];
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200; i++) {
      const opener = codec.openSnapshot();
      opener.push(
        bytes(negotiation(8, 5242880, 5242880), u32(0xfffffffe), u32(0), u32(5242880), [1]),
      );
      openers.push(opener);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024);
    expect(openers.length).toBe(200);
  });
});
