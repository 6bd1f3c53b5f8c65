// How a frame that came over a link has run: what its runner tells peerFeed().

/** Stands for no link: the frames are the records of a copy. */
export const NO_LINK: u32 = 0xffffffff;

export const RUN_DONE: i32 = 0;
/** The host must see it; then it counts as done. */
export const RUN_HOST: i32 = 1;
/** The same for a request: the host owes its answer. */
export const RUN_HOST_ANSWERS: i32 = 2;
/** The host must see it first; then it runs. */
export const RUN_HOST_FIRST: i32 = 3;
/** The outbox of `fullLink` lacks room; nothing of it was done. */
export const RUN_FULL: i32 = 4;
/** It answers nothing. */
export const RUN_BROKEN: i32 = 5;
/** There is no memory for a record of a copy. */
export const RUN_NO_MEMORY: i32 = 6;

/** With RUN_FULL: the link whose outbox lacks room. */
export let fullLink: u32 = 0;

/** Notes which outbox lacks room, and returns RUN_FULL. */
export function fullOutbox(link: u32): i32 {
  fullLink = link;
  return RUN_FULL;
}
