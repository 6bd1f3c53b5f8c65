/**
 * Counts situations that a run should sometimes be in: a cut with a request in flight, a read that found something newer. What
 * is never counted over all seeds was not tested, whatever the checkers say.
 */
export class Sometimes {
  readonly #counts = new Map<string, number>();

  hit(situation: string, times = 1): void {
    if (times === 0) return;
    this.#counts.set(situation, this.of(situation) + times);
  }

  of(situation: string): number {
    return this.#counts.get(situation) ?? 0;
  }

  /** Adds the counts of another run. */
  add(other: Sometimes): void {
    for (const [situation, times] of other.#counts) this.hit(situation, times);
  }

  /** All counts, by name. */
  entries(): [situation: string, times: number][] {
    return [...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1));
  }
}
