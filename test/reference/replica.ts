/**
 * A slow replica: what a node with one link answers to the frames that come over it, and what it holds afterwards. It states the
 * rules of assembly/kernel/ring/: the newest of (stamp, node) wins, whatever comes first.
 */
import {
  ACKS,
  BATCH,
  FAIL,
  FLOOR,
  NEWER,
  OLDER,
  type PeerFrame,
  PRIOR,
  READ,
  STALE,
  WRITE,
} from "./peer-frames.ts";

const TOMBSTONE = 0x10;
const OBJECT = 0x40;
const TAGGED = 0x80;

/** A record or a tombstone; of an object of the host the value is not known. */
export interface SlowRecord {
  readonly stamp: bigint;
  readonly node: number;
  readonly expiry: number;
  /** "tagged": the value ends with its tag. */
  readonly kind: "value" | "tagged" | "tombstone" | "object";
  readonly value: string;
}

/** What a replica is like before it is fed. */
export interface SlowSettings {
  /** In ms since the epoch. */
  readonly now: number;
  readonly maxStampAheadMs: number;
  readonly fenced: boolean;
  /** Whether its memory takes no new value. */
  readonly full: boolean;
  /** Requests that it has sent, and nobody waits for. */
  readonly pending: number;
}

interface Version {
  readonly stamp: bigint;
  readonly node: number;
}

const NOTHING: Version = { stamp: 0n, node: 0 };

/** Thrown for an answer to nothing. */
const ANSWER_TO_NOTHING = "ANSWER_TO_NOTHING";

export class SlowReplica {
  readonly records = new Map<string, SlowRecord>();
  readonly #floors = new Map<number, Version>();
  /** The answers as text, acknowledgements in runs, and the repairs that were sent. */
  readonly answers: string[] = [];
  readonly repairs: string[] = [];
  /** Frames that the host was handed. */
  readonly hosted: PeerFrame[] = [];
  lastStamp = 0n;
  pending: number;
  #acks = 0;
  readonly #settings: SlowSettings;

  constructor(settings: SlowSettings) {
    this.#settings = settings;
    this.pending = settings.pending;
  }

  /** Takes frames that were read, and returns "" or why the link breaks. */
  take(frames: readonly PeerFrame[]): string {
    let broken = "";
    try {
      for (const frame of frames) this.#run(frame);
    } catch (reason) {
      if (reason !== ANSWER_TO_NOTHING) throw reason;
      broken = reason;
    }
    if (this.#acks > 0) this.#answer(`acks ${this.#acks}`);
    return broken;
  }

  #run(frame: PeerFrame): void {
    if (frame.type < 0x10 || frame.type >= 0x30) this.hosted.push(frame);
    else if (frame.type < 0x18) this.#request(frame);
    else this.#answered(frame);
  }

  // ---- Requests ----

  #request(frame: PeerFrame): void {
    if (frame.type === READ) {
      this.#read(frame);
      return;
    }
    if (this.#isAhead(frame.stamp)) {
      this.#answer("fail 3");
      return;
    }
    this.#observe(frame.stamp);
    if (frame.type === BATCH) this.#hosts(frame);
    else if (frame.type === FLOOR) {
      this.#raiseFloor(frame);
      this.#hosts(frame);
    } else this.#write(frame);
  }

  #write(frame: PeerFrame): void {
    if ((frame.flags & OBJECT) !== 0) {
      this.#install(frame);
      this.#hosts(frame);
      return;
    }
    const before = this.#held(frame);
    const outcome = this.#apply(frame);
    if (outcome === "object") this.#hosts(frame);
    else if (outcome === "no memory") this.#answer("fail 2");
    else if (outcome === "stale") {
      const { stamp, node } = before;
      this.#answer(`stale ${stamp}/${node} ${hex(frame.bytes)}`);
    } else if (outcome === "applied" && (frame.flags & TOMBSTONE) !== 0 && frame.value !== "") {
      this.#answerDeletion(before, frame.value);
    } else this.#acks++;
  }

  /** What was held for a key, or the floor where that is newer. */
  #held(frame: PeerFrame): Version & { readonly alive: boolean } {
    const record = this.records.get(keyOf(frame));
    const floor = this.#floors.get(frame.database) ?? NOTHING;
    // What is at or below the floor is refused whatever is held.
    if (record === undefined || !isNewer(frame, floor)) return { ...floor, alive: false };
    const { now } = this.#settings;
    const alive = record.kind !== "tombstone" && (record.expiry === 0 || record.expiry > now);
    return { stamp: record.stamp, node: record.node, alive };
  }

  #answerDeletion(before: Version & { readonly alive: boolean }, seen: string): void {
    const bytes = Buffer.from(seen, "latin1");
    const known = { stamp: bytes.readBigUInt64LE(0), node: bytes.readUInt16LE(8) };
    if (!isNewer(before, known)) this.#acks++;
    else this.#answer(`prior ${before.stamp}/${before.node} ${before.alive ? 1 : 0}`);
  }

  #apply(frame: PeerFrame): "applied" | "equal" | "stale" | "object" | "no memory" {
    const floor = this.#floors.get(frame.database) ?? NOTHING;
    if (!isNewer(frame, floor)) return "stale";
    const record = this.records.get(keyOf(frame));
    if (record !== undefined && !isNewer(frame, record)) {
      if (record.stamp === frame.stamp && record.node === frame.node) return "equal";
      return record.kind === "object" ? "object" : "stale";
    }
    const { stamp, node, expiry, value } = frame;
    const dead = (frame.flags & TOMBSTONE) !== 0;
    if (dead || (expiry !== 0 && expiry <= this.#settings.now)) {
      this.records.set(keyOf(frame), { stamp, node, expiry: 0, kind: "tombstone", value: "" });
      return "applied";
    }
    if (this.#settings.full) return "no memory";
    const kind = (frame.flags & TAGGED) !== 0 ? "tagged" : "value";
    this.records.set(keyOf(frame), { stamp, node, expiry, kind, value });
    return "applied";
  }

  #read(frame: PeerFrame): void {
    if (this.#settings.fenced) {
      this.#answer("fail 1");
      return;
    }
    const record = this.records.get(keyOf(frame));
    if (frame.value !== "" || frame.flags !== 0 || record?.kind === "object") {
      this.#hosts(frame);
      return;
    }
    const floor = this.#floors.get(frame.database) ?? NOTHING;
    const asked = { stamp: frame.stamp, node: frame.node };
    if (record === undefined) {
      if (asked.stamp === 0n && asked.node === 0) this.#acks++;
      else if (isNewer(asked, floor)) this.#answer(`older ${keyOf(frame)} 0/0`);
      else this.#answer(`newer ${keyOf(frame)} ${floor.stamp}/${floor.node} 0 -`);
      return;
    }
    const { stamp, node, expiry, kind, value } = record;
    if (asked.stamp === stamp && asked.node === node) this.#acks++;
    else if (isNewer(asked, record)) this.#answer(`older ${keyOf(frame)} ${stamp}/${node}`);
    else if (kind === "tombstone") this.#answer(`newer ${keyOf(frame)} ${stamp}/${node} 0 -`);
    else {
      const text = `${kind === "tagged" ? "~" : "="}${value}`;
      this.#answer(`newer ${keyOf(frame)} ${stamp}/${node} ${expiry} ${text}`);
    }
  }

  // ---- Answers ----

  #answered(frame: PeerFrame): void {
    const count = frame.type === ACKS ? frame.number : 1;
    if (count > this.pending) throw ANSWER_TO_NOTHING;
    this.pending -= count;
    if (frame.type === ACKS || frame.type === FAIL || this.#isAhead(frame.stamp)) return;
    if (frame.type === NEWER && (frame.flags & OBJECT) !== 0) {
      this.hosted.push(frame);
      this.#install(frame);
    }
    this.#observe(frame.stamp);
    if (frame.type === NEWER) {
      if ((frame.flags & OBJECT) === 0) this.#apply(frame);
    } else if (frame.type === OLDER) this.#repair(frame);
    else if (frame.type !== STALE && frame.type !== PRIOR) throw new Error(`type ${frame.type}`);
  }

  /** The peer holds less: it is sent the record, an object by the host. */
  #repair(frame: PeerFrame): void {
    const record = this.records.get(keyOf(frame));
    if (record === undefined) return;
    if (record.kind === "object") {
      this.hosted.push(frame);
      return;
    }
    this.pending++;
    const { stamp, node, expiry, kind, value } = record;
    const sign = kind === "tagged" ? "~" : "=";
    const text = kind === "tombstone" ? "-" : `${sign}${value}`;
    this.repairs.push(`write ${keyOf(frame)} ${stamp}/${node} ${expiry} ${text}`);
  }

  // ---- The host ----

  /** Hands a request to the host, which acknowledges it. */
  #hosts(frame: PeerFrame): void {
    this.hosted.push(frame);
    this.#acks++;
  }

  /** What the host does with an object: it takes the place of what is older. */
  #install(frame: PeerFrame): void {
    const { stamp, node } = frame;
    if (!this.installs(frame)) return;
    this.records.set(keyOf(frame), { stamp, node, expiry: 0, kind: "object", value: "" });
  }

  /** Whether a frame is newer than the floor and what is held. */
  installs(frame: PeerFrame): boolean {
    const floor = this.#floors.get(frame.database) ?? NOTHING;
    return isNewer(frame, floor) && isNewer(frame, this.records.get(keyOf(frame)) ?? NOTHING);
  }

  #raiseFloor({ database, stamp, node }: PeerFrame): void {
    if (!isNewer({ stamp, node }, this.#floors.get(database) ?? NOTHING)) return;
    this.#floors.set(database, { stamp, node });
    for (const [key, record] of this.records) {
      if (key.startsWith(`${database}:`) && !isNewer(record, { stamp, node })) {
        this.records.delete(key);
      }
    }
  }

  // ---- Common ----

  #isAhead(stamp: bigint): boolean {
    return stamp >> 16n > BigInt(this.#settings.now + this.#settings.maxStampAheadMs);
  }

  #observe(stamp: bigint): void {
    if (stamp > this.lastStamp) this.lastStamp = stamp;
  }

  #answer(text: string): void {
    if (this.#acks > 0 && !text.startsWith("acks")) this.answers.push(`acks ${this.#acks}`);
    this.#acks = 0;
    this.answers.push(text);
  }
}

/** A frame that a node has sent, as the slow replica writes it. */
export function sentText(frame: PeerFrame): string {
  const { name, type, stamp, node, number, expiry, flags, value } = frame;
  if (type === ACKS || type === FAIL) return `${name} ${number}`;
  if (type === STALE) return `stale ${stamp}/${node} ${hex(frame.inner[0]!.bytes)}`;
  if (type === PRIOR) return `prior ${stamp}/${node} ${number}`;
  if (type === OLDER) return `older ${keyOf(frame)} ${stamp}/${node}`;
  if (type !== NEWER && type !== WRITE) return name;
  const sign = (flags & TAGGED) !== 0 ? "~" : "=";
  const text = (flags & TOMBSTONE) !== 0 ? "-" : `${sign}${value}`;
  return `${name} ${keyOf(frame)} ${stamp}/${node} ${expiry} ${text}`;
}

/** Database and key. */
export function keyOf({ database, key }: PeerFrame): string {
  return `${database}:${key}`;
}

function isNewer(a: Version, b: Version): boolean {
  return a.stamp > b.stamp || (a.stamp === b.stamp && a.node > b.node);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
