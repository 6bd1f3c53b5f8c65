/** The capabilities of this build. Each is advertised only as far as it is true of the node that does. */
import type { Capability } from "./capability.ts";

/** Framing between nodes. 1 is what a link opens in; links carry data in 2. */
export const FRAMING = numbers("ringlet_framing", [1, 2]);

/** Encryption of a session by the link itself, under keys of the cluster secret. */
export const AEAD_NAMES = ["none", "aes-256-gcm"] as const;
export type AeadName = (typeof AEAD_NAMES)[number];

/** Whether frames that change records carry the stamp of the change. */
export const VALUE_STAMPS: Capability<boolean> = {
  name: "ringlet_value_stamps",
  supportedValues: [false, true],
  merge: (peer) => (peer.includes(true) ? true : peer.includes(false) ? false : undefined),
  encode: (value) => Uint8Array.of(value ? 1 : 0),
  decode: ([byte, ...rest]) =>
    rest.length === 0 && (byte === 0 || byte === 1) ? byte === 1 : undefined,
};

/** Compression of frames. */
export const COMPRESSION_NAMES = ["none"] as const;

/** How replicas compare and copy what they hold. 0: not at all. 1: pages of records of a range (range copy). */
export const ANTI_ENTROPY = numbers("ringlet_anti_entropy", [0, 1]);

/** AEAD as a node has it: encryption takes a cluster secret and a runtime that can. */
export function aead(canEncrypt: boolean): Capability<AeadName> {
  return names("ringlet_aead", AEAD_NAMES, canEncrypt ? AEAD_NAMES : ["none"]);
}

export const COMPRESSION = names("ringlet_compression", COMPRESSION_NAMES, COMPRESSION_NAMES);

/** Everything that a node of this build advertises. */
export function ringletCapabilities(canEncrypt: boolean): Capability<unknown>[] {
  return [FRAMING, aead(canEncrypt), VALUE_STAMPS, COMPRESSION, ANTI_ENTROPY];
}

/** A capability whose values are numbers; the greatest common one is agreed on. */
export function numbers(name: string, supportedValues: readonly number[]): Capability<number> {
  return {
    name,
    supportedValues,
    merge: (peer) => {
      const common = supportedValues.filter((value) => peer.includes(value));
      return common.length === 0 ? undefined : Math.max(...common);
    },
    encode: (value) => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, value, true);
      return bytes;
    },
    decode: (bytes) =>
      bytes.length === 4
        ? new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
        : undefined,
  };
}

/** A capability whose values are names; the common one that comes last in `order` is agreed on. */
export function names<Name extends string>(
  name: string,
  order: readonly Name[],
  supportedValues: readonly Name[],
): Capability<Name> {
  return {
    name,
    supportedValues,
    merge: (peer) =>
      order.filter((one) => supportedValues.includes(one) && peer.includes(one)).at(-1),
    encode: (value) => new TextEncoder().encode(value),
    decode: (bytes) => {
      const text = new TextDecoder().decode(bytes);
      return order.find((one) => one === text);
    },
  };
}
