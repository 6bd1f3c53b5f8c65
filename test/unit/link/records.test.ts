/** Encrypted records: what one side seals the other opens, and nothing else. */
import { expect, test } from "vitest";
import { equalBytes, hkdfExpandKey, hkdfExtract } from "../../../src/link/crypto.ts";
import { MAX_RECORD_BYTES, RecordOpener, RecordSealer } from "../../../src/link/records.ts";
import { nodeLinkCrypto } from "../../../src/runtime/node/link-crypto.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const NEVER = 2 ** 24;

const hex = (text: string) =>
  Uint8Array.from(text.match(/../g)!, (digits) => Number.parseInt(digits, 16));

function pair(rekeyAfter = NEVER) {
  return {
    sealer: new RecordSealer(nodeLinkCrypto, KEY, rekeyAfter),
    opener: new RecordOpener(nodeLinkCrypto, KEY, rekeyAfter),
  };
}

function openAll(opener: RecordOpener, ...pieces: readonly Uint8Array[]): number[] {
  const plain: number[] = [];
  for (const piece of pieces) opener.push(piece, (bytes) => plain.push(...bytes) > 0);
  return plain;
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
const undecryptable = expect.objectContaining({ code: "UNDECRYPTABLE" });

test("records of any length are opened wherever they are cut", () => {
  const { sealer } = pair();
  const plain = bytes(50);
  const records = Uint8Array.of(...sealer.seal(plain), ...sealer.seal(Uint8Array.of(7)));
  for (let cut = 0; cut <= records.length; cut++) {
    const { opener } = pair();
    expect(openAll(opener, records.slice(0, cut), records.slice(cut))).toEqual([...plain, 7]);
  }
  const bytewise = Array.from(records, (byte) => Uint8Array.of(byte));
  expect(openAll(pair().opener, ...bytewise)).toEqual([...plain, 7]);
});

test.each([1, MAX_RECORD_BYTES - 1, MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1, 500_000])(
  "%i bytes go in records of at most 64 KiB",
  (length) => {
    const { sealer, opener } = pair();
    const plain = bytes(length);
    const sealed = sealer.seal(plain);
    expect(sealed.length).toBe(length + 20 * Math.ceil(length / MAX_RECORD_BYTES));
    const opened = new Uint8Array(length);
    let at = 0;
    for (let from = 0; from < sealed.length; from += 70_001) {
      opener.push(sealed.subarray(from, from + 70_001), (part) => {
        opened.set(part, at);
        at += part.length;
        return true;
      });
    }
    expect(at).toBe(length);
    expect(equalBytes(opened, plain)).toBe(true);
  },
);

test("every changed bit is found", () => {
  const { sealer } = pair();
  const sealed = sealer.seal(bytes(40)).slice();
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = sealed.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    const found: number[] = [];
    let failure: unknown;
    try {
      // Behind it more follows, so that a longer length has what it wants.
      pair().opener.push(
        Uint8Array.of(...changed, ...new Uint8Array(70_000)),
        (plain) => found.push(...plain) > 0,
      );
    } catch (error) {
      failure = error;
    }
    expect(found).toEqual([]);
    expect(failure).toEqual(undecryptable);
  }
});

test("a record is opened once, in its place, and by the other side only", () => {
  const { sealer, opener } = pair();
  const first = sealer.seal(bytes(10)).slice();
  const second = sealer.seal(bytes(20)).slice();
  expect(() => openAll(pair().opener, second)).toThrow(undecryptable);
  openAll(opener, first);
  expect(() => openAll(opener, first)).toThrow(undecryptable);
  const other = new RecordOpener(
    nodeLinkCrypto,
    KEY.map((byte) => byte ^ 1),
    NEVER,
  );
  expect(() => openAll(other, first)).toThrow(undecryptable);
});

test("lengths that no record has are refused before anything of it is kept", () => {
  for (const length of [0, 16, MAX_RECORD_BYTES + 17, 0xffff_ffff]) {
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, length, true);
    expect(() => openAll(pair().opener, header)).toThrow(undecryptable);
    expect(() => openAll(pair().opener, header.subarray(0, 2), header.subarray(2))).toThrow(
      undecryptable,
    );
  }
});

test("keys follow one another, and no nonce comes twice under a key", () => {
  const seen = new Set<string>();
  const keys = new Set<string>();
  const counting = {
    hmacSha256: nodeLinkCrypto.hmacSha256,
    aes256Gcm: (key: Uint8Array) => {
      const cipher = nodeLinkCrypto.aes256Gcm!(key);
      keys.add(key.join());
      return {
        ...cipher,
        seal: (nonce: Uint8Array, header: Uint8Array, plain: Uint8Array, out: Uint8Array) => {
          const used = `${key.join()} ${nonce.join()}`;
          expect(seen.has(used)).toBe(false);
          seen.add(used);
          cipher.seal(nonce, header, plain, out);
        },
      };
    },
  };
  const sealer = new RecordSealer(counting, KEY, 3);
  const { opener } = pair(3);
  for (let i = 0; i < 10; i++)
    expect(openAll(opener, sealer.seal(bytes(i + 1)))).toEqual([...bytes(i + 1)]);
  expect(seen.size).toBe(10);
  expect(keys.size).toBe(4);
});

test("opening stops when it is told to", () => {
  const { sealer, opener } = pair();
  const records = Uint8Array.of(...sealer.seal(bytes(3)), ...sealer.seal(bytes(4)));
  let calls = 0;
  opener.push(records, () => ++calls < 1);
  expect(calls).toBe(1);
});

// RFC 5869, test case 1 (the first 32 of its 42 bytes of output) and RFC 4231, test case 2.
test("HKDF and HMAC are those of their specifications", () => {
  const prk = hkdfExtract(
    nodeLinkCrypto,
    hex("000102030405060708090a0b0c"),
    new Uint8Array(22).fill(0x0b),
  );
  expect(prk).toEqual(hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"));
  const info = hkdfExpandKey(nodeLinkCrypto, prk, "ringlet");
  const block = Uint8Array.of(...new TextEncoder().encode("ringlet"), 1);
  expect(info).toEqual(nodeLinkCrypto.hmacSha256(prk, block));
  const text = (words: string) => new TextEncoder().encode(words);
  expect(nodeLinkCrypto.hmacSha256(text("Jefe"), text("what do ya want for nothing?"))).toEqual(
    hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
  );
});

// The test cases 13 and 14 of the specification of GCM (McGrew, Viega).
test("AES-256-GCM is that of its specification", () => {
  const cipher = nodeLinkCrypto.aes256Gcm!(new Uint8Array(32));
  const nonce = new Uint8Array(12);
  const out = new Uint8Array(32);
  cipher.seal(nonce, new Uint8Array(0), new Uint8Array(16), out);
  expect(out).toEqual(hex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"));
  const plain = new Uint8Array(16).fill(1);
  expect(cipher.open(nonce, new Uint8Array(0), out, plain)).toBe(true);
  expect(plain).toEqual(new Uint8Array(16));
  expect(cipher.open(nonce, Uint8Array.of(0), out, plain)).toBe(false);
});

test("equalBytes compares all bytes and both lengths", () => {
  expect(equalBytes(bytes(32), bytes(32))).toBe(true);
  for (let i = 0; i < 32; i++) {
    const changed = bytes(32);
    changed[i]! ^= 0x80;
    expect(equalBytes(changed, bytes(32))).toBe(false);
  }
  expect(equalBytes(bytes(31), bytes(32))).toBe(false);
  expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
});
