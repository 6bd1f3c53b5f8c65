/** Long input, parsed a window at a time, so that the codec's scratch memory stays small whatever the length of the input. */

/** Longest window in bytes, unless one message is longer. */
export const WINDOW_BYTES = 256 * 1024;

/** First window, in bytes, where only one message is asked for. */
export const FIRST_WINDOW_BYTES = 4096;

/** What the parser of one window found. */
export interface WindowResult {
  /** Bytes of the whole messages in the window. */
  readonly consumed: number;
  /** 0: nothing is left over; 1: a message goes on behind the window; else the parser cannot go on. */
  readonly status: number;
  /** With status 1: how many bytes behind the window are needed at least. */
  readonly wanted: number;
  /** Whether all that was asked for is found. */
  readonly done: boolean;
}

/** Status of a window whose message goes on. */
export const WINDOW_INCOMPLETE = 1;

/**
 * Calls `parse` with one window of `bytes` after the other, from `offset` on. A window begins where the last message ended, and is
 * made longer when no whole message is in it. Returns the last result, with `consumed` as the offset behind the last message.
 */
export function inWindows(
  bytes: Uint8Array,
  offset: number,
  firstBytes: number,
  parse: (window: Uint8Array, offset: number) => WindowResult,
): WindowResult {
  let at = offset;
  let size = firstBytes;
  while (true) {
    const whole = bytes.length - at <= size;
    const window = whole && at === 0 ? bytes : bytes.subarray(at, at + size);
    const result = parse(window, at);
    at += result.consumed;
    const goesOn = result.status <= WINDOW_INCOMPLETE && !result.done && !whole;
    if (!goesOn) return { ...result, consumed: at };
    if (result.consumed === 0) size = Math.max(size * 4, window.length + result.wanted);
    else if (size < WINDOW_BYTES) size = WINDOW_BYTES;
  }
}
