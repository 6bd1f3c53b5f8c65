/** Frames of framing version 1 out of a stream, wherever it is cut; what lies between them is passed over. */
import { CodecError } from "../../codec/codec-error.ts";
import { joined } from "../../codec/concat.ts";
import {
  DNODE_ENCRYPTED,
  DNODE_TYPE,
  type DnodeFace,
  type DnodeFrameRead,
  type DnodeOptions,
} from "../../codec/dnode.ts";
import { countOne } from "../counters.ts";
import type { DnodeCounters } from "./counters.ts";
import type { PayloadCipher } from "./payload-cipher.ts";

/** What the machines of version 1 use of the codec. */
export type DnodeCodec = Pick<DnodeFace, "parseDnode" | "parseDnodes" | "writeDnode">;

/** The one code for a payload that cannot be decrypted. */
export const DECRYPT_FAILED = "DECRYPT_FAILED";
/** Data field of frames that carry nothing in it. */
export const NO_DATA = new TextEncoder().encode("d");
/** Data field of gossip. */
export const GOSSIP_DATA = new TextEncoder().encode("a");

export class FrameReader {
  readonly #codec: DnodeCodec;
  readonly #options: DnodeOptions;
  readonly #counters: DnodeCounters;
  /** The beginning of a frame whose rest has not come. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** So many bytes must be there before it is worth looking again. */
  #wantedBytes = 0;

  constructor(codec: DnodeCodec, options: DnodeOptions, counters: DnodeCounters) {
    this.#codec = codec;
    this.#options = options;
    this.#counters = counters;
  }

  /**
   * Hands over every frame that has come whole, until `take` says by a code why no more may follow. Data and payload are views that
   * are good during the call. Returns the code of what makes the stream unreadable from here on, and counts it.
   */
  push(bytes: Uint8Array, take: (frame: DnodeFrameRead) => string | undefined): string | undefined {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    if (this.#keptBytes < this.#wantedBytes) {
      // The transport may use its memory again.
      this.#kept[this.#kept.length - 1] = bytes.slice();
      return undefined;
    }
    const input = joined(this.#kept);
    const { frames, end, skipped, wanted, error } = this.#codec.parseDnodes(
      input,
      0,
      this.#options,
    );
    const rest = input.slice(end);
    this.#kept = rest.length === 0 ? [] : [rest];
    this.#keptBytes = rest.length;
    this.#wantedBytes = rest.length + wanted;
    for (const frame of frames) {
      this.#counters.skippedBytes += frame.skipped;
      const code = take(frame);
      if (code !== undefined) return this.#closing(code);
    }
    this.#counters.skippedBytes += skipped;
    return error === null ? undefined : this.#closing(error.code);
  }

  #closing(code: string): string {
    countOne(this.#counters.closed, code);
    return code;
  }

  /** A frame's payload, decrypted, in memory of its own; undefined where it cannot be, whatever is wrong, which is counted. */
  open(frame: DnodeFrameRead, cipher: PayloadCipher | undefined): Uint8Array | undefined {
    const { type, flags, payload } = frame;
    if (flags !== DNODE_ENCRYPTED) return payload.slice();
    const isCommand = type <= DNODE_TYPE.response;
    try {
      if (cipher !== undefined) {
        return cipher.open(payload, (plain) => !isCommand || this.#isOneMessage(type, plain));
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
    this.#counters.decryptFailures++;
    return undefined;
  }

  /** Whether bytes are one whole request or answer: what a plain frame of the type would end with. */
  #isOneMessage(type: number, plain: Uint8Array): boolean {
    const frame = { id: 0n, type, flags: 0, sameDc: true, data: NO_DATA, payload: plain };
    const result = this.#codec.parseDnode(this.#codec.writeDnode(frame), 0, this.#options);
    return result.status === "complete" && result.frame.payload.length === plain.length;
  }
}
