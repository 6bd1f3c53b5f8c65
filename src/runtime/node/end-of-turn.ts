/** When what a turn of the event loop has brought is sent: at its end, or at once where little comes. */

/** Chunks of bytes that come in one turn at most while each is dealt with at once. */
const FEW_CHUNKS = 2;
/** How many chunks are dealt with at once before a turn is looked at again, and how many turns are gathered before. */
const LOOK_AFTER_CHUNKS = 16;
const LOOK_AFTER_TURNS = 64;

/**
 * Runtime.endOfTurn() for one node. Where many chunks come in one turn of the loop, its end is awaited: what they cause leaves in
 * one write for each peer. Where one or two come, waiting only makes a request slower (measured: by a tenth on its way over
 * another node, with two clients), so what each causes leaves when it has been handled. Now and then a turn is counted, to tell
 * which of them it is.
 */
export function endOfTurn(): (task: () => void) => void {
  let isGathering = false;
  let isLooking = false;
  let untilLook = LOOK_AFTER_CHUNKS;
  let chunks = 0;
  const lookEnded = () => {
    isLooking = false;
  };

  return (task) => {
    if (isGathering) {
      setImmediate(task);
      if (--untilLook > 0) return;
      isGathering = false;
      untilLook = 1;
      return;
    }
    if (isLooking) {
      if (++chunks > FEW_CHUNKS) {
        isGathering = true;
        untilLook = LOOK_AFTER_TURNS;
        setImmediate(task);
        return;
      }
    } else if (--untilLook === 0) {
      isLooking = true;
      chunks = 1;
      untilLook = LOOK_AFTER_CHUNKS;
      setImmediate(lookEnded);
    }
    queueMicrotask(task);
  };
}
