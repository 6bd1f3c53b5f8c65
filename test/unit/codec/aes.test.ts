import { createCipheriv, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AesExports } from "../../../src/codec/aes.ts";
import { createCodec } from "../../../src/codec/codec.ts";
import { SLICE_BYTES } from "../../../src/codec/slices.ts";
import { nodeAes } from "../../../src/runtime/node/aes.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { decryptBlock, encryptBlock, encryptCbc } from "../../reference/aes.ts";
import { tables } from "../../reference/aes-tables.ts";
import { bareExports, codec, codeOf, placeAtEnd } from "./codec-under-test.ts";

/** Without node:crypto: every size goes through the kernel. */
const pure = createCodec(readModule("codec"));
const threshold = nodeAes.fromBytes;
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
/** Bytes that look random and are the same in every run. */
function bytesOf(label: string, length: number): Uint8Array {
  return Uint8Array.from(createHash("shake256", { outputLength: length }).update(label).digest());
}
const block = fc.uint8Array({ minLength: 16, maxLength: 16 });

// NIST SP 800-38A, appendix F.2.1 and F.2.2.
const nist = {
  key: hex("2b7e151628aed2a6abf7158809cf4f3c"),
  iv: hex("000102030405060708090a0b0c0d0e0f"),
  plain: hex(
    "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51" +
      "30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
  ),
  cipher: hex(
    "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2" +
      "73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7",
  ),
};

describe("the slow twin", () => {
  it("gives the ciphers of FIPS 197, appendices B and C.1", () => {
    const cases = [
      [nist.key, hex("3243f6a8885a308d313198a2e0370734"), hex("3925841d02dc09fbdc118597196a0b32")],
      [
        hex("000102030405060708090a0b0c0d0e0f"),
        hex("00112233445566778899aabbccddeeff"),
        hex("69c4e0d86a7b0430d8cdb78070b4c55a"),
      ],
    ] as const;
    for (const [key, plain, cipher] of cases) {
      expect(encryptBlock(key, plain)).toEqual([...cipher]);
      expect(decryptBlock(key, cipher)).toEqual([...plain]);
    }
  });
});

describe("the kernel's AES-128-CBC", () => {
  it("has the tables that the definition of AES gives", () => {
    const source = readFileSync(
      new URL("../../../assembly/codec/aes/tables.ts", import.meta.url),
      "utf8",
    );
    const found: Record<string, number[]> = {};
    for (const [, name, list] of source.matchAll(
      /const (\w+): u32 = <u32>memory\.data<u8>\(\[([^\]]*)\]/g,
    )) {
      found[name!] = [...list!.matchAll(/0x\w\w/g)].map(Number);
    }
    expect(found).toEqual(tables);
  });

  it("gives the vectors of NIST SP 800-38A", () => {
    expect(pure.aesEncrypt(nist.key, nist.iv, nist.plain).subarray(0, 64)).toEqual(nist.cipher);
    const padded = encryptCbc(nist.key, nist.iv, nist.plain);
    expect(pure.aesDecrypt(nist.key, nist.iv, padded)).toEqual(nist.plain);
  });

  it("gives the known answers of NIST's AESAVS for a key of ones and for a text of ones", () => {
    // The last cases of VarKey128 and VarTxt128.
    const zeros = new Uint8Array(16);
    const ones = new Uint8Array(16).fill(0xff);
    const first = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 16)).toString("hex");
    expect(first(pure.aesEncrypt(ones, zeros, zeros))).toBe("a1f6258c877d5fcd8964484538bfc92c");
    expect(first(pure.aesEncrypt(zeros, zeros, ones))).toBe("3f5b8cc9ea855a0afa7347d23e8d664e");
  });

  it("agrees with OpenSSL for every length from 0 to 1100", () => {
    for (let length = 0; length <= 1100; length++) {
      const all = bytesOf(`${length}`, 32 + length);
      const [key, iv, plain] = [all.subarray(0, 16), all.subarray(16, 32), all.subarray(32)];
      const cipher = createCipheriv("aes-128-cbc", key, iv);
      const expected = Uint8Array.from(Buffer.concat([cipher.update(plain), cipher.final()]));
      const opened = pure.aesDecrypt(key, iv, expected);
      // Buffer.compare, because a deep comparison of so many arrays takes seconds.
      const sealedAlike = Buffer.compare(pure.aesEncrypt(key, iv, plain), expected);
      expect([length, sealedAlike, Buffer.compare(opened, plain)]).toEqual([length, 0, 0]);
    }
  });

  it("agrees with the slow twin", () => {
    fc.assert(
      fc.property(block, block, fc.uint8Array({ maxLength: 70 }), (key, iv, plain) => {
        const sealed = pure.aesEncrypt(key, iv, plain);
        expect(sealed).toEqual(encryptCbc(key, iv, plain));
        expect(pure.aesDecrypt(key, iv, sealed)).toEqual(plain);
      }),
      { numRuns: 200 },
    );
  });

  it("goes on across slices", () => {
    const [key, iv] = [bytesOf("key", 16), bytesOf("iv", 16)];
    for (const extra of [-16, -1, 0, 1, 16, SLICE_BYTES, SLICE_BYTES + 5]) {
      const plain = bytesOf(`${extra}`, SLICE_BYTES + extra);
      const sealed = pure.aesEncrypt(key, iv, plain);
      expect(Buffer.compare(sealed, nodeAes.encrypt(key, iv, plain))).toBe(0);
      expect(Buffer.compare(pure.aesDecrypt(key, iv, sealed), plain)).toBe(0);
    }
  });

  it("does not change its input", () => {
    const [key, iv, plain] = [bytesOf("key", 16), bytesOf("iv", 16), bytesOf("plain", 100)];
    const sealed = pure.aesEncrypt(key, iv, plain);
    const before = sealed.slice();
    pure.aesDecrypt(key, iv, sealed);
    expect([plain, sealed]).toEqual([bytesOf("plain", 100), before]);
  });

  it("reaches neither behind the cipher text nor behind the padding", () => {
    const { memory, reserve, ...calls } = bareExports<AesExports>();
    const pointer = reserve(32);
    new Uint8Array(memory.buffer).set(nist.key, pointer);
    const setIv = () => new Uint8Array(memory.buffer).set(nist.iv, pointer + 16);
    for (let length = 0; length <= 48; length++) {
      const padded = length - (length % 16) + 16;
      const room = new Uint8Array(padded);
      room.set(nist.plain.subarray(0, length));
      const at = placeAtEnd(memory, room);
      setIv();
      expect(calls.aesCbcEncrypt(pointer, pointer + 16, at, length)).toBe(padded);
      setIv();
      expect(calls.aesCbcDecrypt(pointer, pointer + 16, at, padded)).toBe(length);
      expect(new Uint8Array(memory.buffer, at, length)).toEqual(nist.plain.subarray(0, length));
    }
  });
});

describe.each([
  ["the kernel's", pure],
  ["with node:crypto lent", codec],
])("decryption, %s", (_name, subject) => {
  const [key, iv] = [bytesOf("key", 16), bytesOf("iv", 16)];
  /** Encrypts whole blocks as they are, without padding of their own. */
  function sealRaw(plain: Uint8Array): Uint8Array {
    const cipher = createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false);
    return Uint8Array.from(Buffer.concat([cipher.update(plain), cipher.final()]));
  }

  it.each([16, 4096])(
    "takes exactly the sixteen paddings that are right, of %d bytes",
    (length) => {
      expect(length < threshold).toBe(length === 16);
      for (let last = 0; last < 256; last++) {
        for (const wrong of [undefined, 2, 9, 16]) {
          const plain = bytesOf("plain", length).fill(0x77, length - 16);
          plain.fill(last, Math.max(length - 16, length - last));
          plain[length - 1] = last;
          if (wrong !== undefined) plain[length - wrong]! ^= 0x80;
          const right = last >= 1 && last <= 16 && !(wrong !== undefined && wrong <= last);
          const outcome = codeOf(() => subject.aesDecrypt(key, iv, sealRaw(plain)));
          expect([last, wrong, outcome]).toEqual([last, wrong, right ? "none" : "DECRYPT_FAILED"]);
          if (right) expect(subject.aesDecrypt(key, iv, sealRaw(plain)).length).toBe(length - last);
        }
      }
    },
  );

  it("gives one and the same error for everything that is wrong", () => {
    const messages = new Set<string>();
    const sealed = subject.aesEncrypt(key, iv, bytesOf("plain", 5000));
    const inputs = [
      new Uint8Array(),
      sealed.subarray(0, 15),
      sealed.subarray(0, 5001),
      sealed.subarray(0, 16),
      sealed.subarray(0, 4992),
    ];
    for (const input of inputs) {
      try {
        subject.aesDecrypt(key, iv, input);
        expect.unreachable();
      } catch (error) {
        messages.add(`${error} ${(error as Error).cause}`);
      }
    }
    expect(messages.size).toBe(1);
    expect([...messages][0]).toMatch(/^CodecError: decryption failed/);
  });

  it("refuses keys and ivs of another length", () => {
    for (const length of [0, 15, 17, 32]) {
      const short = new Uint8Array(length);
      const one = new Uint8Array(16);
      expect(codeOf(() => subject.aesEncrypt(short, iv, one))).toBe("AES_BAD_KEY");
      expect(codeOf(() => subject.aesDecrypt(short, iv, one))).toBe("AES_BAD_KEY");
      expect(codeOf(() => subject.aesEncrypt(key, short, one))).toBe("AES_BAD_IV");
      expect(codeOf(() => subject.aesDecrypt(key, short, one))).toBe("AES_BAD_IV");
    }
  });
});

describe("a lent AES", () => {
  it("is used from the threshold on, and not below", () => {
    const lengths: number[] = [];
    const spied = createCodec(readModule("codec"), {
      aes: {
        fromBytes: threshold,
        encrypt(key, iv, bytes) {
          lengths.push(bytes.length);
          return nodeAes.encrypt(key, iv, bytes);
        },
        decrypt(key, iv, bytes) {
          lengths.push(-bytes.length);
          return nodeAes.decrypt(key, iv, bytes);
        },
      },
    });
    const [key, iv] = [bytesOf("key", 16), bytesOf("iv", 16)];
    for (const length of [0, threshold - 32, threshold - 1, threshold]) {
      const plain = bytesOf("plain", length);
      expect(spied.aesDecrypt(key, iv, spied.aesEncrypt(key, iv, plain))).toEqual(plain);
    }
    expect(lengths).toEqual([-threshold, threshold, -threshold - 16]);
  });
});
