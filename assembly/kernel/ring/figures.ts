// What the ring counts: u64 counters by number (RING_FIGURE in src/store/kernel-ring.ts).

const FIGURES: u32 = 64;
const counters: usize = memory.data(64 * 8, 16);

// Frames that came and were written, by type: at these numbers, plus the type less 0x10.
export const FRAMES_IN: u32 = 0;
export const FRAMES_OUT: u32 = 16;
/** Bytes of frames that came, and that went into outboxes. */
export const BYTES_IN: u32 = 32;
export const BYTES_OUT: u32 = 33;
/** Requests acknowledged to peers, and by peers (each of a run counts). */
export const ACKS_SENT: u32 = 34;
export const ACKS_RECEIVED: u32 = 35;
/** Records of peers that were applied, that were held already, and that were refused because they are older. */
export const APPLIED_RECORDS: u32 = 36;
export const EQUAL_RECORDS: u32 = 37;
export const STALE_RECORDS: u32 = 38;
/** Frames refused: too far ahead, no memory, not a replica, fenced: a read, or a write that is held now (and see REFUSED_BEHIND). */
export const REFUSED_AHEAD: u32 = 39;
export const REFUSED_MEMORY: u32 = 40;
export const REFUSED_FOREIGN: u32 = 41;
export const REFUSED_FENCED: u32 = 42;
/** Records sent to repair a replica. */
export const REPAIRS_SENT: u32 = 43;
/** Records passed on to other racks of this datacenter. */
export const SPREAD_RECORDS: u32 = 44;
/** Times that a link came to its bound of unanswered requests, and took no more for a while. */
export const LINK_OVERFLOWS: u32 = 45;
/** Frames that were none: the link was given up. */
export const BROKEN_FRAMES: u32 = 46;
/** Frames handed to the host. */
export const HOST_FRAMES: u32 = 47;
/** Requests that failed because their link went down. */
export const LOST_REQUESTS: u32 = 48;
/** Slots opened, those that were decided without what they needed, and those of them that were too old. */
export const SLOTS_OPENED: u32 = 49;
export const SLOTS_FAILED: u32 = 50;
export const SLOTS_EXPIRED: u32 = 51;
/** Commands refused because too few replicas were up: nothing was written. */
export const QUORUMS_REFUSED: u32 = 52;
/** Commands refused because too many wait for replicas. */
export const SLOTS_REFUSED: u32 = 53;
/** Replies that other nodes have changed. */
export const REPLIES_CHANGED: u32 = 54;
/** Writes sent again with a new stamp, because a replica held something newer. */
export const WRITES_RESTAMPED: u32 = 55;
/** Requests handed to the host to run them again. */
export const REQUESTS_RETRIED: u32 = 56;
/** Commands with keys of clients of the ring that the kernel coordinated, and those that it left to the host. */
export const COMMANDS_COORDINATED: u32 = 57;
export const COMMANDS_LEFT: u32 = 58;
/** Records that were not sent to a peer because its link took no requests. */
export const UNSENT_RECORDS: u32 = 59;
/** Requests of peers refused because the answers would have come too late. */
export const REFUSED_BEHIND: u32 = 60;

export function figuresInit(): void {
  memory.fill(counters, 0, FIGURES * 8);
}

// @ts-ignore: decorator
@inline
export function countFigure(figure: u32, by: u64): void {
  const at = counters + (figure << 3);
  store<u64>(at, load<u64>(at) + by);
}

/** A counter by its number. */
// @ts-ignore: decorator
@inline
export function figureOf(figure: u32): f64 {
  return <f64>load<u64>(counters + (figure << 3));
}
