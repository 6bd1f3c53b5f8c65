// How long requests of clients waited for other nodes: a histogram for each level, of reads and of writes. Replies that do not
// wait, or only for the end of the turn, are in the first cell.
//
//   20 × u64 for each of (level · 2 + (1 for writes)): 19 counts (0: up to 64 µs, each next one up to twice as much, the last
//   one all that took longer), and the sum in µs

const CELLS: u32 = 20;
const LAST_COUNT: u32 = 18;
const SUM: u32 = 19;
const HISTOGRAM_BYTES: u32 = CELLS * 8;
const HISTOGRAMS: u32 = 8;

const histograms: usize = memory.data(8 * 20 * 8, 8);

export function latencyInit(): void {
  memory.fill(histograms, 0, HISTOGRAMS * HISTOGRAM_BYTES);
}

/** Counts `times` requests that waited `units` of 1/64 ms each; `kind`: level · 2 + (1 for writes). */
export function countLatency(kind: u32, units: u32, times: u32): void {
  const microseconds = (<u64>units * 125) >> 3;
  const cell: u32 = microseconds <= 64 ? 0 : <u32>min(LAST_COUNT, 58 - <u32>clz(microseconds - 1));
  const histogram = histograms + kind * HISTOGRAM_BYTES;
  add(histogram + (cell << 3), times);
  add(histogram + (SUM << 3), microseconds * times);
}

/** Counts a request that did not wait. */
// @ts-ignore: decorator
@inline
export function countAtOnce(level: u32, writes: bool): void {
  add(histograms + ((level << 1) | (writes ? 1 : 0)) * HISTOGRAM_BYTES, 1);
}

/** The cell `index` of all histograms in a row. */
export function ringLatency(index: u32): f64 {
  return <f64>load<u64>(histograms + (index << 3));
}

// @ts-ignore: decorator
@inline
function add(at: usize, by: u64): void {
  store<u64>(at, load<u64>(at) + by);
}
