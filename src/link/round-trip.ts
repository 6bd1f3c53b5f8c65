/** What pings tell: how long the way is, and how far apart the wall clocks are. */

/** Pings of which the quickest is believed. */
const WINDOW = 8;

export class RoundTrip {
  readonly #samples: { readonly rttMs: number; readonly offsetMs: number }[] = [];
  readonly #helloOffsetMs: number;

  /** `helloOffsetMs`: the peer's clock minus ours, as its hello told it. */
  constructor(helloOffsetMs: number) {
    this.#helloOffsetMs = helloOffsetMs;
  }

  get rttMs(): number | undefined {
    return this.#best()?.rttMs;
  }

  get clockOffsetMs(): number {
    return this.#best()?.offsetMs ?? this.#helloOffsetMs;
  }

  /** A ping came back after `rttMs`, when the clocks showed `peerWallMs` and `wallMs`. */
  add(rttMs: number, peerWallMs: number, wallMs: number): void {
    this.#samples.push({ rttMs, offsetMs: peerWallMs + rttMs / 2 - wallMs });
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
