/** What pings tell: how long the way is, and how far apart the wall clocks are. */

/** Pings of which the quickest is believed. */
const WINDOW = 8;

/**
 * Peers' wall clocks are noted against this node's monotonic clock: when the wall clock of this node jumps, the offset has changed at
 * once, without another ping.
 */
export class RoundTrip {
  /** The peer's wall clock less this node's monotonic clock, by ping. */
  readonly #samples: { readonly rttMs: number; readonly aheadMs: number }[] = [];
  readonly #helloAheadMs: number;

  /** `helloWallMs`: the peer's clock, as its hello told it, when the monotonic clock of this node showed `monotonicMs`. */
  constructor(helloWallMs: number, monotonicMs: number) {
    this.#helloAheadMs = helloWallMs - monotonicMs;
  }

  get rttMs(): number | undefined {
    return this.#best()?.rttMs;
  }

  /** The peer's wall clock less this node's, whose clocks show these times. */
  clockOffsetMs(wallMs: number, monotonicMs: number): number {
    return (this.#best()?.aheadMs ?? this.#helloAheadMs) + monotonicMs - wallMs;
  }

  /** A ping came back after `rttMs`, when the peer's wall clock and the monotonic clock of this node showed these times. */
  add(rttMs: number, peerWallMs: number, monotonicMs: number): void {
    this.#samples.push({ rttMs, aheadMs: peerWallMs + rttMs / 2 - monotonicMs });
    if (this.#samples.length > WINDOW) this.#samples.shift();
  }

  /** The quickest knows the offset best: at most half of its time is in doubt. */
  #best() {
    let best = this.#samples[0];
    for (const sample of this.#samples)
      if (best === undefined || sample.rttMs <= best.rttMs) best = sample;
    return best;
  }
}
