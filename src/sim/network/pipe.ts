/**
 * One direction of a simulated connection. Bytes wait with their sender until the window lets them go, then travel in segments
 * cut anywhere, and arrive in order: what the network does to a stream is delay it, or end it.
 *
 *     write() ─> waiting ─(window)─> segments in flight ─(latency, blocked?)─> unread ─> received()
 */
import type { Timer } from "../../base/runtime.ts";
import type { Random } from "../random.ts";

/** How a direction between two hosts behaves. Times in ms. */
export interface PathModel {
  /** Latency that every segment has, and the mean of what comes on top of it (exponentially distributed). */
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** How often a segment is much later, and the mean by how much. */
  readonly tailChance: number;
  readonly tailMs: number;
  /** Bytes per ms. */
  readonly bandwidth: number;
  /** Bytes that may be on their way or unread at the receiver. */
  readonly windowBytes: number;
  /** How often a segment is cut at any byte, where the window would let more go. */
  readonly cutChance: number;
}

/** What a pipe needs of its surroundings. */
export interface PipeSurroundings {
  readonly nowMs: number;
  readonly random: Random;
  readonly path: PathModel;
  /** Whether nothing gets through in this direction now; the pipe hears of the end by wake(). */
  readonly isBlocked: boolean;
  /** Calls `task` after so many ms in the receiver's process, or in nobody's where that is gone. */
  atReceiver(delayMs: number, task: () => void): Timer;
  /** Whether the receiver takes bytes now; it says when it does again by wake(). */
  readonly isReading: boolean;
  /** Hands bytes over; they are there until it returns. */
  received(bytes: Uint8Array): void;
  /** The sender sends nothing more. */
  finished(): void;
  /** The sender has cut the connection. */
  wasReset(): void;
  /** What had to wait with the sender has been handed to the network. */
  drained(): void;
  /** The sender's end has been handed to the network. */
  finSent(): void;
}

interface Segment {
  readonly arrivalMs: number;
  readonly kind: "data" | "fin" | "reset";
  readonly bytes: Uint8Array;
}

export class Pipe {
  readonly #around: PipeSurroundings;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #segments: Segment[] = [];
  #travellingBytes = 0;
  #lastArrivalMs = 0;
  /** The event that hands the first segment over. */
  #expected: Timer | undefined;
  /** Something had to wait for the window. */
  #isHeldUp = false;
  #ending = false;
  #closed = false;
  #sentEnd: "fin" | "reset" | undefined;

  constructor(around: PipeSurroundings) {
    this.#around = around;
  }

  /** Bytes that wait with the sender. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Bytes on their way, or unread at the receiver. */
  get travellingBytes(): number {
    return this.#travellingBytes;
  }

  /** Sends a copy of `bytes`. */
  write(bytes: Uint8Array): void {
    if (this.#ending || this.#closed || bytes.length === 0) return;
    this.#waiting.push(bytes.slice());
    this.#waitingBytes += bytes.length;
    this.#pump();
  }

  /** Ends the direction behind what waits. */
  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.#pump();
  }

  /** Ends the direction behind what travels: what waits is lost. */
  close(kind: "fin" | "reset"): void {
    this.abandon();
    if (this.#sentEnd === "reset" || this.#sentEnd === kind) return;
    this.#sentEnd = kind;
    this.#send(kind, EMPTY);
  }

  /** Sends nothing more: what waits is lost. */
  abandon(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Ends the direction without a sign: what waits is lost, and of what travels all behind any byte. */
  vanish(): void {
    this.abandon();
    this.#truncate();
  }

  /** Cuts the direction at any byte of what travels. */
  cut(kind: "fin" | "reset"): void {
    this.#truncate();
    this.close(kind);
  }

  /** Something that held the first segment up may have gone. */
  wake(delayMs = 0): void {
    if (this.#segments.length === 0 || this.#expected !== undefined) return;
    this.#expect(delayMs);
  }

  /** The process that was to take the first segment is gone. */
  receiverGone(): void {
    this.#expected?.cancel();
    this.#expected = undefined;
    this.wake();
  }

  #truncate(): void {
    let keep = this.#around.random.below(this.#travellingBytes + 1);
    this.#travellingBytes = keep;
    const kept: Segment[] = [];
    for (const segment of this.#segments) {
      if (segment.kind !== "data" || keep === 0) break;
      const bytes = segment.bytes.subarray(0, Math.min(keep, segment.bytes.length));
      kept.push({ ...segment, bytes });
      keep -= bytes.length;
    }
    this.#segments = kept;
  }

  /** Lets go what the window has room for. */
  #pump(): void {
    const { windowBytes, cutChance } = this.#around.path;
    while (this.#waitingBytes !== 0) {
      const room = windowBytes - this.#travellingBytes;
      // Whatever room there is would be filled with ever smaller segments.
      if (room < Math.min(this.#waitingBytes, windowBytes * LEAST_ROOM)) break;
      const first = this.#waiting[0]!;
      let length = Math.min(first.length, room, SEGMENT_BYTES);
      if (this.#around.random.chance(cutChance)) length = 1 + this.#around.random.below(length);
      if (length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(length);
      this.#waitingBytes -= length;
      this.#travellingBytes += length;
      this.#send("data", first.subarray(0, length));
    }
    if (this.#waitingBytes !== 0) {
      this.#isHeldUp = true;
      return;
    }
    if (this.#isHeldUp) {
      this.#isHeldUp = false;
      if (!this.#closed) this.#around.drained();
    }
    if (this.#ending && !this.#closed && this.#sentEnd === undefined) {
      this.#sentEnd = "fin";
      this.#send("fin", EMPTY);
      this.#around.finSent();
    }
  }

  #send(kind: Segment["kind"], bytes: Uint8Array): void {
    const { nowMs, random, path } = this.#around;
    let latency = path.latencyMs + random.exponential(path.jitterMs);
    if (random.chance(path.tailChance)) latency += random.exponential(path.tailMs);
    const arrivalMs =
      Math.max(this.#lastArrivalMs, nowMs + latency) + bytes.length / path.bandwidth;
    this.#lastArrivalMs = arrivalMs;
    this.#segments.push({ arrivalMs, kind, bytes });
    if (this.#segments.length === 1) this.wake(arrivalMs - nowMs);
  }

  #expect(delayMs: number): void {
    this.#expected = this.#around.atReceiver(delayMs, this.#arrive);
  }

  /** The first segment is there: it and those that have come with it are handed over. */
  readonly #arrive = (): void => {
    this.#expected = undefined;
    const { nowMs } = this.#around;
    while (this.#segments.length !== 0) {
      const first = this.#segments[0]!;
      if (this.#around.isBlocked) return;
      if (first.arrivalMs > nowMs + CLOCK_GRAIN_MS) {
        this.wake(first.arrivalMs - nowMs);
        return;
      }
      if (first.kind !== "reset" && !this.#around.isReading) return;
      if (first.kind !== "data") {
        this.#segments.shift();
        if (first.kind === "fin") this.#around.finished();
        else this.#around.wasReset();
        continue;
      }
      this.#deliver(this.#take(nowMs));
    }
  };

  /** Takes what one read gives: all that is there, or the first segment of it. */
  #take(nowMs: number): Uint8Array {
    let count = 1;
    let length = this.#segments[0]!.bytes.length;
    if (this.#around.random.chance(GATHER_CHANCE)) {
      for (; count < this.#segments.length; count++) {
        const next = this.#segments[count]!;
        const isThere = next.kind === "data" && next.arrivalMs <= nowMs + CLOCK_GRAIN_MS;
        if (!isThere || length + next.bytes.length > READ_BYTES) break;
        length += next.bytes.length;
      }
    }
    const taken = this.#segments.splice(0, count);
    if (count === 1) return taken[0]!.bytes;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const segment of taken) {
      bytes.set(segment.bytes, at);
      at += segment.bytes.length;
    }
    return bytes;
  }

  #deliver(bytes: Uint8Array): void {
    this.#travellingBytes -= bytes.length;
    this.#around.received(bytes);
    // They were there until received() returned.
    bytes.fill(POISON);
    this.#pump();
  }
}

const EMPTY = new Uint8Array(0);
const POISON = 0xff;
/** The part of a window that must be free before more goes than fits. */
const LEAST_ROOM = 0.25;
/** Bytes of a segment at most. */
const SEGMENT_BYTES = 64 * 1024;
/** Bytes that one read takes at most. */
const READ_BYTES = 192 * 1024;
/** How often a read takes all that has come, and not only the first segment. */
const GATHER_CHANCE = 0.7;
/** Events are rounded to microseconds. */
const CLOCK_GRAIN_MS = 0.001;
