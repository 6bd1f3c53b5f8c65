/** Capability advertisements, format CAP version 1 (typed face of assembly/codec/capabilities.ts, which draws the layout). */
import { CodecError } from "./codec-error.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";

/** Most entries of one advertisement. */
export const CAP_MAX_ENTRIES = 1024;
/** Most bytes of a name. */
export const CAP_MAX_NAME_BYTES = 256;
/** Most bytes of a value. */
export const CAP_MAX_VALUE_BYTES = 16384;
/** Most values of one entry: their number is written in 16 bits. */
export const CAP_MAX_VALUES = 0xffff;

const MAGIC = [0x43, 0x41, 0x50];
const VERSION = 1;
const HEADER_BYTES = 8;

/** One capability and what its owner supports of it. */
export interface CapabilityEntry {
  /** ASCII. */
  readonly name: string;
  /** Opaque values, in the advertiser's order of preference, lowest first. */
  readonly values: readonly Uint8Array[];
}

export interface CapabilitiesFace {
  /**
   * Writes an advertisement, its entries and their values in the order given (advertisers sort entries by name).
   *
   * Nothing is ever cut off to fit: throws CodecError `CAP_TOO_MANY_ENTRIES` (above 1,024), `CAP_NAME_TOO_LONG` (above 256 bytes),
   * `CAP_NON_ASCII_NAME`, `CAP_TOO_MANY_VALUES` (above 65,535 in one entry) or `CAP_VALUE_TOO_LONG` (above 16,384 bytes).
   */
  encodeCapabilities(entries: readonly CapabilityEntry[]): Uint8Array;
  /**
   * Reads an advertisement: all of it or nothing. Bytes behind the last entry are ignored; values are copies.
   *
   * Throws CodecError `CAP_TRUNCATED` (also for fewer than the 8 bytes of the header, whatever they are), `CAP_BAD_MAGIC`,
   * `CAP_BAD_VERSION`, `CAP_TOO_MANY_ENTRIES`, `CAP_NAME_TOO_LONG`, `CAP_NON_ASCII_NAME` or `CAP_VALUE_TOO_LONG`. A limit is
   * checked before the bytes that it is about, so that an entry over a limit is never reported as truncated.
   */
  decodeCapabilities(bytes: Uint8Array): CapabilityEntry[];
}

export interface CapabilitiesExports extends CodecMemoryExports {
  capabilitiesCheck(pointer: number, length: number, out: number): number;
}

export function capabilitiesFace(instance: CodecInstance<CapabilitiesExports>): CapabilitiesFace {
  return {
    encodeCapabilities: encode,
    decodeCapabilities(bytes) {
      const out = instance.reserve(8 + bytes.length);
      instance.bytes.set(bytes, out + 8);
      const status = instance.exports.capabilitiesCheck(out + 8, bytes.length, out);
      if (status !== 0) {
        const at = instance.data.getUint32(out, true);
        const found = instance.data.getUint32(out + 4, true);
        throw refusal(status, at, found, bytes.length);
      }
      return read(bytes);
    },
  };
}

/** Why an advertisement is refused, by the status of capabilitiesCheck(). */
function refusal(status: number, at: number, found: number, length: number): CodecError {
  const [code, reason] = (
    [
      ["CAP_TRUNCATED", `it ends at byte ${length} in the middle of what begins at byte ${at}`],
      ["CAP_BAD_MAGIC", 'it does not begin with "CAP"'],
      ["CAP_BAD_VERSION", `its version is ${found}, and only ${VERSION} is known`],
      ["CAP_TOO_MANY_ENTRIES", `it has ${found} entries of at most ${CAP_MAX_ENTRIES}`],
      [
        "CAP_NAME_TOO_LONG",
        `the name at byte ${at} has ${found} bytes of at most ${CAP_MAX_NAME_BYTES}`,
      ],
      ["CAP_NON_ASCII_NAME", `the name at byte ${at} has the byte ${found}, which is not ASCII`],
      [
        "CAP_VALUE_TOO_LONG",
        `the value at byte ${at} has ${found} bytes of at most ${CAP_MAX_VALUE_BYTES}`,
      ],
    ] as const
  )[status - 1]!;
  return new CodecError(
    code,
    `capability advertisement refused, nothing of it was used: ${reason}`,
  );
}

/** Takes a checked advertisement apart. */
function read(bytes: Uint8Array): CapabilityEntry[] {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ascii = new TextDecoder();
  let at = HEADER_BYTES;
  const take = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  const takeU16 = (): number => data.getUint16((at += 2) - 2, true);
  const takeU32 = (): number => data.getUint32((at += 4) - 4, true);
  const entries: CapabilityEntry[] = [];
  for (let entry = data.getUint32(4, true); entry > 0; entry--) {
    const name = ascii.decode(take(takeU16()));
    const values: Uint8Array[] = [];
    for (let value = takeU16(); value > 0; value--) values.push(take(takeU32()).slice());
    entries.push({ name, values });
  }
  return entries;
}

function encode(entries: readonly CapabilityEntry[]): Uint8Array {
  atMost("CAP_TOO_MANY_ENTRIES", entries.length, CAP_MAX_ENTRIES, "entries", "advertise fewer");
  let length = HEADER_BYTES;
  for (const { name, values } of entries) {
    const shown = JSON.stringify(name.slice(0, 40));
    for (let i = 0; i < name.length; i++) {
      if (name.charCodeAt(i) <= 0x7f) continue;
      throw new CodecError(
        "CAP_NON_ASCII_NAME",
        `capability advertisement not written: the name ${shown} is not ASCII; choose another`,
      );
    }
    atMost(
      "CAP_NAME_TOO_LONG",
      name.length,
      CAP_MAX_NAME_BYTES,
      `bytes in the name ${shown}`,
      "shorten it",
    );
    atMost(
      "CAP_TOO_MANY_VALUES",
      values.length,
      CAP_MAX_VALUES,
      `values of ${shown}`,
      "list fewer",
    );
    length += 4 + name.length;
    for (const value of values) {
      atMost(
        "CAP_VALUE_TOO_LONG",
        value.length,
        CAP_MAX_VALUE_BYTES,
        `bytes in a value of ${shown}`,
        "shorten it",
      );
      length += 4 + value.length;
    }
  }
  const bytes = new Uint8Array(length);
  const data = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes[3] = VERSION;
  data.setUint32(4, entries.length, true);
  let at = HEADER_BYTES;
  for (const { name, values } of entries) {
    data.setUint16(at, name.length, true);
    at += 2;
    for (let i = 0; i < name.length; i++) bytes[at++] = name.charCodeAt(i);
    data.setUint16(at, values.length, true);
    at += 2;
    for (const value of values) {
      data.setUint32(at, value.length, true);
      bytes.set(value, at + 4);
      at += 4 + value.length;
    }
  }
  return bytes;
}

function atMost(code: string, found: number, limit: number, what: string, remedy: string): void {
  if (found <= limit) return;
  throw new CodecError(
    code,
    `capability advertisement not written: ${found} ${what}, and at most ${limit} are allowed; ${remedy}`,
  );
}
