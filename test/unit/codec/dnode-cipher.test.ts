import { createCipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codec, codeOf } from "./codec-under-test.ts";

const key = Uint8Array.from({ length: 32 }, (_, i) => 7 * i + 1);
const half = key.subarray(0, 16);
const bytes = (...parts: ArrayLike<number>[]) =>
  Uint8Array.from(parts.flatMap((part) => [...Array.from(part)]));

/** One chunk, by OpenSSL. */
function chunk(plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-cbc", half, half);
  return bytes(cipher.update(plain), cipher.final());
}

/** A payload cut into chunks of the given plain lengths. */
function cutAt(plain: Uint8Array, lengths: readonly number[]): Uint8Array {
  let at = 0;
  const parts = lengths.map((length) => chunk(plain.subarray(at, (at += length))));
  return bytes(...parts, ...(at < plain.length ? [chunk(plain.subarray(at))] : []));
}

/** A SET command with a value of `length` bytes, and whether some bytes are exactly one such command. */
function command(length: number): Uint8Array {
  const value = Array.from({ length }, (_, i) => (i * i + i) % 251);
  return bytes(Buffer.from(`*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$${length}\r\n`), value, [13, 10]);
}
function isCommand(plain: Uint8Array): boolean {
  const head = /^\*3\r\n\$3\r\nSET\r\n\$3\r\nkey\r\n\$(\d+)\r\n/.exec(
    Buffer.from(plain).toString("latin1"),
  );
  return head !== null && plain.length === head[0].length + Number(head[1]) + 2;
}

describe("encrypted dnode payloads", () => {
  it("are sealed in chunks of mbuf_size - 64 plain bytes, each under the first half of the key as key and iv", () => {
    const plain = command(40_000);
    const sealed = codec.sealDnodePayload(key, plain);
    expect(sealed).toEqual(
      bytes(
        chunk(plain.subarray(0, 16320)),
        chunk(plain.subarray(16320, 32640)),
        chunk(plain.subarray(32640)),
      ),
    );
    expect([16336, 32672].map((at) => sealed.length > at)).toEqual([true, true]);
    expect(codec.sealDnodePayload(half, plain)).toEqual(sealed);
  });

  it("are those that the C engine sends, both ways", () => {
    const file = new URL("../../fixtures/dnode-encrypted-payloads.json", import.meta.url);
    const recorded: { key: string; cipher: string; plain: string }[] = JSON.parse(
      readFileSync(file, "utf8"),
    ).payloads;
    expect(recorded.length).toBeGreaterThan(40);
    for (const { key: session, cipher, plain } of recorded) {
      const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
      expect(codec.openDnodePayload(hex(session), hex(cipher))).toEqual(hex(plain));
      expect(codec.sealDnodePayload(hex(session), hex(plain))).toEqual(hex(cipher));
    }
  });

  it("have no empty chunk behind a full one, and one chunk when there is nothing in them", () => {
    expect(codec.sealDnodePayload(key, new Uint8Array(448), 512).length).toBe(464);
    expect(codec.sealDnodePayload(key, new Uint8Array(896), 512).length).toBe(2 * 464);
    expect(codec.sealDnodePayload(key, new Uint8Array())).toEqual(chunk(new Uint8Array()));
  });

  it("come back at every length around the chunk size", () => {
    for (let length = 0; length <= 1000; length++) {
      const plain = command(2000).subarray(0, length);
      const opened = codec.openDnodePayload(key, codec.sealDnodePayload(key, plain, 512), 512);
      expect([length, Buffer.compare(opened, plain)]).toEqual([length, 0]);
    }
  });

  it("come back when chunks are cut elsewhere", () => {
    const plain = command(3000);
    const cuts: number[][] = [
      // A buffer of nothing but padding, as the C engine sends it when it relays.
      [0],
      [0, 448, 448],
      [448, 0],
      [0, 0, 448],
      // Buffers that are not full; one larger than this node's; all in one, as the Rust engine encrypts.
      [17],
      [100, 448, 31],
      [448, 15, 448, 16],
      [960],
      [3040],
      [plain.length],
      [448, 448, 5, 448],
    ];
    for (const lengths of cuts) {
      const opened = codec.openDnodePayload(key, cutAt(plain, lengths), 512, isCommand);
      expect([lengths, Buffer.compare(opened, plain)]).toEqual([lengths, 0]);
    }
  });

  it("come back with up to two irregular chunks anywhere, or are refused, but never come back wrong", () => {
    let refused = 0;
    const lengths = fc.array(fc.integer({ min: 0, max: 448 }), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(fc.nat(4000), fc.nat(4), lengths, fc.nat(4), (size, before, irregular, after) => {
        const plain = command(size);
        const full = (count: number) => Array<number>(count).fill(448);
        const all: number[] = [];
        let left = plain.length;
        for (const length of [...full(before), ...irregular, ...full(after), ...full(20)]) {
          if (length >= left) break;
          all.push(length);
          left -= length;
        }
        try {
          const opened = codec.openDnodePayload(key, cutAt(plain, all), 512, isCommand);
          expect([all, Buffer.compare(opened, plain)]).toEqual([all, 0]);
        } catch (error) {
          if ((error as { code?: string }).code !== "DECRYPT_FAILED") throw error;
          refused++;
        }
      }),
      { numRuns: 500, seed: 7 },
    );
    // A data block can look like the end of a chunk, so that two cuts are equally likely.
    expect(refused).toBeLessThan(20);
  });

  it("are refused in one way, whatever is wrong with them", () => {
    const sealed = codec.sealDnodePayload(key, command(1000), 512);
    const other = Uint8Array.from(key, (byte) => byte ^ 1);
    const messages = new Set<string>();
    for (const [by, input] of [
      [key, new Uint8Array()],
      [key, sealed.subarray(1)],
      [key, sealed.subarray(16)],
      [key, sealed.subarray(0, sealed.length - 16)],
      [other, sealed],
    ] as const) {
      try {
        codec.openDnodePayload(by, input, 512, isCommand);
        expect.unreachable();
      } catch (error) {
        messages.add(String(error));
      }
    }
    expect(messages.size).toBe(1);
    expect(codeOf(() => codec.openDnodePayload(other, sealed, 512))).toBe("DECRYPT_FAILED");
    expect(codeOf(() => codec.openDnodePayload(key, sealed, 512, () => false))).toBe(
      "DECRYPT_FAILED",
    );
  });

  it("cost a bounded number of tries when every block could end a chunk", () => {
    // Each block decrypts to padding only: there are more ways to cut this than anyone could try.
    const cipher = createCipheriv("aes-128-cbc", half, half).setAutoPadding(false);
    const hostile = bytes(cipher.update(new Uint8Array(64 * 1024).fill(16)));
    let candidates = 0;
    const refuse = () => {
      candidates++;
      return false;
    };
    expect(codeOf(() => codec.openDnodePayload(key, hostile, 512, refuse))).toBe("DECRYPT_FAILED");
    expect(candidates).toBeGreaterThan(1);
    expect(candidates).toBeLessThanOrEqual(65);
  });

  it("pass on what isWhole throws", () => {
    const sealed = codec.sealDnodePayload(key, command(10));
    const broken = () => {
      throw new TypeError("mine");
    };
    expect(() => codec.openDnodePayload(key, sealed, 16384, broken)).toThrow(TypeError);
  });

  it("need a key of 16 or 32 bytes and an mbuf_size that the C engine takes", () => {
    for (const length of [0, 15, 17, 31, 33]) {
      expect(codeOf(() => codec.sealDnodePayload(new Uint8Array(length), half))).toBe(
        "AES_BAD_KEY",
      );
      expect(codeOf(() => codec.openDnodePayload(new Uint8Array(length), half))).toBe(
        "AES_BAD_KEY",
      );
    }
    for (const size of [0, 64, 496, 513, 512_016, -512, Number.NaN, 16384.5]) {
      expect(codeOf(() => codec.sealDnodePayload(key, half, size))).toBe("DNODE_BAD_MBUF_SIZE");
      expect(codeOf(() => codec.openDnodePayload(key, half, size))).toBe("DNODE_BAD_MBUF_SIZE");
    }
  });
});
