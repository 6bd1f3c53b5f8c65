/** Takes a stream of version 2 frames apart, wherever it was cut. */
import { RingletError } from "../base/errors.ts";
import { FRAME_BYTES, view } from "./frame.ts";

export class FrameSplitter {
  readonly #maxFrameBytes: number;
  /** A frame of which a part has come, in memory for all of it once its length is known. */
  #part = new Uint8Array(FRAME_BYTES.header);
  #filled = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * Gives each whole frame to `take`; it is there until take() returns. Take() may answer false to stop: how many of `bytes` were
   * taken is returned. Throws RingletError FRAME_TOO_LONG or BAD_FRAME, and the stream cannot be read any further.
   */
  push(bytes: Uint8Array, take: (frame: Uint8Array) => boolean): number {
    let at = 0;
    while (at < bytes.length) {
      if (this.#filled > 0 || bytes.length - at < FRAME_BYTES.header) {
        at += this.#gather(bytes.subarray(at));
        if (this.#filled < FRAME_BYTES.header || this.#filled < this.#part.length) continue;
        const frame = this.#part;
        this.#part = new Uint8Array(FRAME_BYTES.header);
        this.#filled = 0;
        if (!take(frame)) return at;
        continue;
      }
      const length = this.#lengthAt(bytes, at);
      if (length > bytes.length - at) {
        at += this.#gather(bytes.subarray(at));
        continue;
      }
      at += length;
      if (!take(bytes.subarray(at - length, at))) return at;
    }
    return at;
  }

  /** Adds to the part what belongs to it; how much that was. */
  #gather(bytes: Uint8Array): number {
    let taken = 0;
    if (this.#filled < FRAME_BYTES.header) {
      taken = Math.min(FRAME_BYTES.header - this.#filled, bytes.length);
      this.#part.set(bytes.subarray(0, taken), this.#filled);
      this.#filled += taken;
      if (this.#filled < FRAME_BYTES.header) return taken;
      const whole = new Uint8Array(this.#lengthAt(this.#part, 0));
      whole.set(this.#part);
      this.#part = whole;
    }
    const rest = bytes.subarray(taken, taken + this.#part.length - this.#filled);
    this.#part.set(rest, this.#filled);
    this.#filled += rest.length;
    return taken + rest.length;
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const length = view(bytes).getUint32(at, true);
    if (length < FRAME_BYTES.header) {
      throw new RingletError("BAD_FRAME", `a frame says that it has ${length} bytes`);
    }
    if (length > this.#maxFrameBytes) {
      throw new RingletError(
        "FRAME_TOO_LONG",
        `a frame has ${length} bytes, and at most ${this.#maxFrameBytes} are allowed`,
      );
    }
    return length;
  }
}
