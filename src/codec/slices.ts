/** Cuts long input into slices, so that the codec's scratch memory stays small whatever the length of the input. */

/** Longest slice in bytes; a multiple of the AES block. */
export const SLICE_BYTES = 64 * 1024;

/** Calls `use` with one slice of `bytes` after the other; once with an empty one when there are no bytes. */
export function eachSlice(
  bytes: Uint8Array,
  use: (slice: Uint8Array, offset: number, last: boolean) => void,
): void {
  if (bytes.length <= SLICE_BYTES) {
    use(bytes, 0, true);
    return;
  }
  for (let offset = 0; offset < bytes.length; offset += SLICE_BYTES) {
    const slice = bytes.subarray(offset, offset + SLICE_BYTES);
    use(slice, offset, offset + slice.length === bytes.length);
  }
}
