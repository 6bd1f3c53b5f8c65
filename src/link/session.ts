/** An open session over one stream: what is sent, what comes, pings, and its end. */
import { RingletError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { ByteStream } from "../transport/stream.ts";
import type { AgreedCapabilities } from "./capability.ts";
import { CONTROL, pingFrame, readPing, readText, textFrame } from "./control-frame.ts";
import type { LinkCounters } from "./counters.ts";
import { frameHead } from "./frame.ts";
import type { Hello } from "./hello.ts";
import type { LinkLimits } from "./limits.ts";
import type { HelloFacts, LinkSession } from "./link.ts";
import type { RecordOpener, RecordSealer } from "./records.ts";
import { RoundTrip } from "./round-trip.ts";

export interface SessionOptions {
  readonly link: number;
  readonly hello: Hello;
  readonly agreed: AgreedCapabilities;
  readonly stream: ByteStream;
  /** The dial that made the connection, of whoever dialled. */
  readonly dialledBy: "self" | "peer";
  readonly attempt: number;
  /** The peer's wall clock minus this node's, as its hello told it, in ms. */
  readonly helloOffsetMs: number;
  /** Both or none. */
  readonly sealer: RecordSealer | undefined;
  readonly opener: RecordOpener | undefined;
  readonly runtime: Runtime;
  readonly limits: LinkLimits;
  readonly log: Logger;
  readonly counters: LinkCounters;
  /** Frames came. */
  received(session: Session, bytes: Uint8Array): void;
  /** The session is over; called once. */
  closed(session: Session, reason: string): void;
}

export class Session implements LinkSession {
  readonly link: number;
  readonly peer: HelloFacts;
  readonly hello: Hello;
  readonly dialledBy: "self" | "peer";
  readonly attempt: number;
  /** Runtime.monotonic() when it opened. */
  readonly openedAt: number;
  readonly #options: SessionOptions;
  readonly #stream: ByteStream;
  readonly #roundTrip: RoundTrip;
  readonly #take = (plain: Uint8Array) => this.#deliver(plain);
  /** Ticks since a byte came, and how many there may be. */
  #silentTicks = 0;
  /** Pings that have not come back. */
  #pingsOut = 0;
  /** When the last of them that did was sent. */
  #reachedAt = Number.NEGATIVE_INFINITY;
  readonly #maxSilentTicks: number;
  #isOpen = true;
  #isPaused = false;
  #probe: Timer | undefined;
  #grace: Timer | undefined;

  constructor(options: SessionOptions) {
    const { link, hello, stream, dialledBy, attempt, runtime, limits } = options;
    this.#options = options;
    this.#stream = stream;
    this.link = link;
    this.hello = hello;
    this.peer = hello.facts;
    this.dialledBy = dialledBy;
    this.attempt = attempt;
    this.openedAt = runtime.monotonic();
    const helloWallMs = runtime.now() + options.helloOffsetMs;
    this.#roundTrip = new RoundTrip(helloWallMs, this.openedAt);
    this.#maxSilentTicks = Math.ceil(limits.linkTimeoutMs / limits.pingIntervalMs);
  }

  get remoteAddress(): string {
    return this.#stream.remoteAddress;
  }
  get isDialled(): boolean {
    return this.dialledBy === "self";
  }
  get isEncrypted(): boolean {
    return this.#options.sealer !== undefined || this.#stream.isEncrypted === true;
  }
  get isOpen(): boolean {
    return this.#isOpen;
  }
  get rttMs(): number | undefined {
    return this.#roundTrip.rttMs;
  }
  get lagMs(): number {
    return Math.max(0, this.#pingsOut - 1) * this.#options.limits.pingIntervalMs;
  }
  get reachedAt(): number {
    return this.#reachedAt;
  }
  get clockOffsetMs(): number {
    const { runtime } = this.#options;
    return this.#roundTrip.clockOffsetMs(runtime.now(), runtime.monotonic());
  }
  get bufferedBytes(): number {
    return this.#stream.bufferedBytes;
  }

  capability(name: string): unknown {
    return this.#options.agreed.value(name);
  }

  send(frames: Uint8Array): void {
    if (!this.#isOpen || frames.length === 0) return;
    const { limits, counters, sealer } = this.#options;
    // What waits already is what counts: the longest frame must get through an empty queue.
    if (this.#stream.bufferedBytes > limits.maxLinkQueueBytes) {
      this.abort("overflow");
      return;
    }
    counters.bytesOut += frames.length;
    this.#stream.write(sealer === undefined ? frames : sealer.seal(frames));
  }

  control(frame: Uint8Array): void {
    if (!this.#isOpen) return;
    try {
      this.#control(frame);
    } catch (error) {
      if (!(error instanceof RingletError)) throw error;
      this.reject(error.message);
    }
  }

  #control(frame: Uint8Array): void {
    const { runtime } = this.#options;
    const { type } = frameHead(frame);
    switch (type) {
      case CONTROL.ping: {
        const { opaque } = readPing(frame);
        this.send(pingFrame(CONTROL.pong, { wallMs: runtime.now(), opaque }));
        return;
      }
      case CONTROL.pong: {
        const { wallMs, opaque } = readPing(frame);
        const monotonicMs = runtime.monotonic();
        const rttMs = monotonicMs - Number(opaque) / 1000;
        // A number that this session never sent says nothing.
        if (rttMs >= 0 && Number(opaque) / 1000 >= this.openedAt - 1) {
          this.#pingsOut = Math.max(0, this.#pingsOut - 1);
          this.#reachedAt = Math.max(this.#reachedAt, Number(opaque) / 1000 - 1);
          this.#roundTrip.add(rttMs, wallMs, monotonicMs);
        }
        return;
      }
      case CONTROL.bye:
      case CONTROL.refuse:
        this.#finish(`peer: ${readText(frame)}`);
        this.#endStream();
        return;
      default:
        this.reject(`a frame came of the unknown type ${type}`);
    }
  }

  pause(): void {
    if (!this.#isOpen) return;
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#isOpen) return;
    this.#isPaused = false;
    this.#silentTicks = 0;
    this.#stream.resume();
  }

  reject(what: string): void {
    if (!this.#isOpen) return;
    const { log, counters, link } = this.#options;
    counters.framesRejected++;
    log.warn(`Closed the link to ${this.remoteAddress}: ${what}.`, { link });
    this.close("rejected");
  }

  close(reason: string): void {
    if (!this.#isOpen) return;
    this.send(textFrame(CONTROL.bye, reason));
    if (!this.#isOpen) return;
    this.#finish(reason);
    this.#endStream();
  }

  /** Ends the session without a word to the peer: what waits is dropped. */
  abort(reason: string): void {
    if (!this.#isOpen) return;
    this.#finish(reason);
    this.#stream.destroy();
  }

  /** A time of pingIntervalMs has passed. */
  tick(): void {
    if (!this.#isOpen) return;
    if (this.#isPaused) this.#silentTicks = 0;
    if (++this.#silentTicks > this.#maxSilentTicks) {
      this.abort("timeout");
      return;
    }
    this.ping();
  }

  ping(): void {
    const { runtime } = this.#options;
    const opaque = BigInt(Math.round(runtime.monotonic() * 1000));
    this.#pingsOut++;
    this.send(pingFrame(CONTROL.ping, { wallMs: runtime.now(), opaque }));
  }

  /** Another connection of the peer puts this one in doubt: if no byte comes soon, it is over. */
  probe(): void {
    const { runtime, limits } = this.#options;
    if (!this.#isOpen || this.#isPaused || this.#probe !== undefined) return;
    this.#probe = runtime.after(limits.probeTimeoutMs, () => this.abort("timeout"));
    this.ping();
  }

  /** Bytes of the stream. */
  receivedBytes(bytes: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#silentTicks = 0;
    this.#probe?.cancel();
    this.#probe = undefined;
    const { opener, counters, log, link } = this.#options;
    if (opener === undefined) {
      this.#deliver(bytes);
      return;
    }
    try {
      opener.push(bytes, this.#take);
    } catch (error) {
      if (!(error instanceof RingletError) || error.code !== "UNDECRYPTABLE") throw error;
      counters.decryptFailures++;
      log.warn(`Closed the link to ${this.remoteAddress}: ${error.message}.`, { link });
      this.abort("undecryptable");
    }
  }

  /** The peer sends nothing more, or the stream is gone. */
  lost(): void {
    this.abort("lost");
  }

  /** The stream is gone: nothing has to be done about it any more. */
  streamClosed(): void {
    this.#grace?.cancel();
    this.lost();
  }

  #deliver(bytes: Uint8Array): boolean {
    this.#options.counters.bytesIn += bytes.length;
    this.#options.received(this, bytes);
    return this.#isOpen;
  }

  #finish(reason: string): void {
    this.#isOpen = false;
    this.#probe?.cancel();
    this.#options.closed(this, reason);
  }

  /** Sends what is left, but not for ever. */
  #endStream(): void {
    const { runtime, limits } = this.#options;
    this.#grace = runtime.after(limits.closeGraceMs, () => this.#stream.destroy());
    this.#stream.end();
  }
}
