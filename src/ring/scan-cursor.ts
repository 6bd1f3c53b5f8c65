// The cursor of SCAN in a ring: whose turn it is, and how far that member is.
//
//   bits 0–31 the member's own cursor   32–47 its position among those who tell   48–62 mark of the view that the walk began with

/** A place in a walk over all members that tell. */
export interface ScanPlace {
  readonly local: number;
  readonly position: number;
  readonly mark: number;
}

/** Where a walk begins. */
export const SCAN_START = 0n;

export function encodeCursor({ local, position, mark }: ScanPlace): bigint {
  return BigInt(local) | (BigInt(position) << 32n) | (BigInt(mark) << 48n);
}

export function decodeCursor(cursor: bigint): ScanPlace {
  return {
    local: Number(cursor & 0xffffffffn),
    position: Number((cursor >> 32n) & 0xffffn),
    mark: Number((cursor >> 48n) & 0x7fffn),
  };
}
