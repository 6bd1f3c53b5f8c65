/** Events in the order of their time: a binary heap. Events of the same time are ordered by `tie`, then as they were added. */
export interface SimEvent {
  /** In whole microseconds of the world. */
  time: number;
  tie: number;
  sequence: number;
  cancelled: boolean;
}

export class EventQueue<E extends SimEvent> {
  readonly #heap: E[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The next event, without taking it. */
  get next(): E | undefined {
    return this.#heap[0];
  }

  push(event: E): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  /** Takes the next event out. */
  pop(): E | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(one: SimEvent, other: SimEvent): boolean {
  if (one.time !== other.time) return one.time < other.time;
  if (one.tie !== other.tie) return one.tie < other.tie;
  return one.sequence < other.sequence;
}
