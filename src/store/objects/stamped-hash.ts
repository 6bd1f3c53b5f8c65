import { compareStamps, isNewer, newerOf, OLDEST, type Stamp } from "../stamp.ts";
import { type HashLimits, HashObject, type HashValue, MAX_FIELDS } from "./hash.ts";
import { ObjectStateError } from "./object-state-error.ts";
import { StateDigest } from "./state-digest.ts";

/** A field that was set or removed, and by which write. */
export interface StampedField {
  readonly field: string;
  readonly stamp: Stamp;
  /** undefined: it was removed. */
  readonly value: HashValue | undefined;
}

/** What a replica tells of a hash: all of it, or what one write has changed. */
export interface HashState {
  /** The newest stamp of all that the hash has seen: that of its record. Of an effect: that of the write. */
  readonly newest: Stamp;
  /** Fields and expiry that are older are gone. */
  readonly deleted: Stamp;
  /** When the hash expires, in ms since the epoch, 0 for never; set by the write `expiryStamp`, which is before that time. */
  readonly expiry: number;
  readonly expiryStamp: Stamp;
  readonly fields: readonly StampedField[];
}

/** What merging did. */
export interface MergeOutcome {
  /** The hash is not as it was. */
  readonly changed: boolean;
  /** Something that the write `newest` did has been overtaken by a newer one. */
  readonly overtaken: boolean;
}

/**
 * A hash of a replicated store. It holds what is needed to merge it with the same hash on other nodes, so that replicas that have
 * seen the same writes are equal, in whatever order and however often those came:
 *
 *   - each field, also one that was removed, has the stamp of the write that did it; the newest write to a field wins;
 *   - all that is older than `deleted` is gone (DEL, a string in between, a floor);
 *   - the expiry has a stamp of its own, and the newest wins. When it comes, it acts as a deletion stamped with its time: fields
 *     of older writes are gone unless a newer write to the expiry takes it back.
 *
 * Commands change it like any hash. The fields that they touch have no new stamp until seal().
 */
export class StampedHashObject extends HashObject {
  /** Two numbers of a Stamp for each place. */
  readonly #marks: number[] = [];
  /** Stamps of removed fields. */
  #removed: Map<string, Stamp> | undefined;
  /** Fields that were changed since the last seal(); undefined for none. */
  #touched: Set<string> | undefined;
  /** Fields came when there was none: what comes to life again does not expire as it did before. */
  #revived = false;
  #removedBytes = 0;
  #newest = OLDEST;
  #deleted = OLDEST;
  #expiry = 0;
  #expiryStamp = OLDEST;
  /** What `#expiry` ends has been let go of. */
  #trimmed = false;

  /** The stamp of the newest write that it has seen. */
  get newest(): Stamp {
    return this.#newest;
  }

  /** When it expires, 0 for never; stays when the time has passed. */
  get expiry(): number {
    return this.#expiry;
  }

  override get bytes(): number {
    return super.bytes + STAMPS_BYTES + this.size * MARK_BYTES + this.#removedBytes;
  }

  override set(field: string, value: HashValue, limits: HashLimits): boolean {
    if (this.size === 0 && this.#expiry !== 0) this.#revived = true;
    this.#touch(field);
    return this.#set(field, value, limits);
  }

  override delete(field: string): boolean {
    const found = this.#drop(field);
    if (found) this.#touch(field);
    return found;
  }

  override clone(): StampedHashObject {
    const copy = this.copyTo(new StampedHashObject());
    for (const number of this.#marks) copy.#marks.push(number);
    return copy;
  }

  /** Whether its expiry has come. */
  hasExpired(now: number): boolean {
    return this.#expiry !== 0 && this.#expiry <= now;
  }

  /** Gives what was changed since the last call the stamp of the write that did it; returns the fields. */
  seal(stamp: Stamp, now: number): ReadonlySet<string> {
    const touched = this.#touched ?? NO_FIELDS;
    this.#touched = undefined;
    for (const field of touched) {
      const place = this.placeOf(field);
      if (place >= 0) this.#mark(place, stamp);
      else this.#bury(field, stamp);
    }
    const hasEnded = this.#end(stamp, now);
    if (this.#revived && !hasEnded) this.#setExpiry(0, stamp);
    // Nothing may expire before the write that it is part of.
    if (this.#expiry !== 0 && this.#expiry <= stamp.ms) this.#setExpiry(this.#expiry, stamp);
    this.#revived = false;
    this.#see(stamp);
    return touched;
  }

  /** Makes all of it the work of one write, which has left nothing of what was at the key before. */
  overwrite(stamp: Stamp, expiry: number): void {
    for (let place = 0; place < this.size; place++) this.#mark(place, stamp);
    this.#removed = undefined;
    this.#removedBytes = 0;
    this.#touched = undefined;
    this.#revived = false;
    this.#deleted = stamp;
    this.#setExpiry(expiry, stamp);
    this.#see(stamp);
  }

  /** Sets when it expires, 0 for never; later than the stamp in any case. */
  setExpiry(expiry: number, stamp: Stamp, now: number): void {
    this.#end(stamp, now);
    this.#setExpiry(expiry, stamp);
    this.#see(stamp);
  }

  /** Removes all that is older than `stamp`; whether that is news. */
  deleteOlder(stamp: Stamp): boolean {
    if (!isNewer(stamp, this.#deleted)) return false;
    this.#deleted = stamp;
    if (isNewer(stamp, this.#expiryStamp)) {
      this.#expiry = 0;
      this.#expiryStamp = OLDEST;
    }
    this.#dropOlder(stamp);
    this.#see(stamp);
    return true;
  }

  /** Lets go of what has expired. */
  trim(now: number): void {
    if (this.#trimmed || !this.hasExpired(now)) return;
    this.#trimmed = true;
    this.#dropOlder({ ms: this.#expiry, tail: 0 });
  }

  /**
   * Merges what a replica tells. Throws ObjectStateError, with nothing changed: STAMP_CONFLICT where one stamp has different
   * fields or values here and there, OBJECT_TOO_LARGE where a Map could not hold the fields.
   */
  merge(state: HashState, now: number, limits: HashLimits): MergeOutcome {
    this.#checkMerge(state);
    let changed = this.deleteOlder(state.deleted);
    if (
      isNewer(state.expiryStamp, this.#expiryStamp) &&
      !isNewer(this.#deleted, state.expiryStamp)
    ) {
      this.#setExpiry(state.expiry, state.expiryStamp);
      changed = true;
    }
    this.trim(now);
    const isOver = this.hasExpired(now);
    for (const { field, stamp, value } of state.fields) {
      if (isNewer(this.#deleted, stamp) || (isOver && stamp.ms < this.#expiry)) continue;
      const held = this.stampOf(field);
      if (held !== undefined && !isNewer(stamp, held)) continue;
      this.#put(field, stamp, value, limits);
      changed = true;
    }
    if (isNewer(state.newest, this.#newest)) changed = true;
    this.#see(state.newest);
    return { changed, overtaken: this.#hasOvertaken(state) };
  }

  /** The stamp of a field, removed or not; undefined for one that it knows nothing of. */
  stampOf(field: string): Stamp | undefined {
    const place = this.placeOf(field);
    return place >= 0 ? this.#markAt(place) : this.#removed?.get(field);
  }

  /** What it tells other replicas: of some fields, or of all that it knows. */
  state(fields?: Iterable<string>): HashState {
    return {
      newest: this.#newest,
      deleted: this.#deleted,
      expiry: this.#expiry,
      expiryStamp: this.#expiryStamp,
      fields: fields === undefined ? [...this.#allFields()] : this.#someFields(fields),
    };
  }

  /** 64 bits that are the same for hashes in the same state, whatever the order of the fields. Trim it before. */
  digest(): bigint {
    const digest = new StateDigest();
    digest.add([stampText(this.#deleted), stampText(this.#expiryStamp), String(this.#expiry)]);
    for (const { field, stamp, value } of this.#allFields()) {
      digest.add(
        value === undefined ? [stampText(stamp), field] : [stampText(stamp), field, value],
      );
    }
    return digest.value;
  }

  *#allFields(): Iterable<StampedField> {
    for (let place = 0; place < this.size; place++) {
      yield { field: this.fieldAt(place), stamp: this.#markAt(place), value: this.valueAt(place) };
    }
    for (const [field, stamp] of this.#removed ?? []) yield { field, stamp, value: undefined };
  }

  #someFields(fields: Iterable<string>): StampedField[] {
    const some: StampedField[] = [];
    for (const field of fields) {
      const stamp = this.stampOf(field);
      if (stamp !== undefined) some.push({ field, stamp, value: this.get(field) });
    }
    return some;
  }

  #checkMerge({ fields, newest, expiry, expiryStamp }: HashState): void {
    if (this.#touched !== undefined) throw new Error("a hash must be sealed before it is merged");
    if (this.size + (this.#removed?.size ?? 0) + fields.length > MAX_FIELDS) {
      throw new ObjectStateError(
        "OBJECT_TOO_LARGE",
        `a hash and what another replica tells of it have more than ${MAX_FIELDS} fields together; nothing was merged`,
      );
    }
    const sameExpiry = compareStamps(expiryStamp, this.#expiryStamp) === 0;
    if (sameExpiry && expiry !== this.#expiry) throw stampConflict(newest);
    for (const { field, stamp, value } of fields) {
      const held = this.stampOf(field);
      if (held === undefined || compareStamps(held, stamp) !== 0) continue;
      if (!isSameValue(this.get(field), value)) throw stampConflict(stamp);
    }
  }

  #hasOvertaken({ newest, expiryStamp, fields }: HashState): boolean {
    if (isNewer(this.#deleted, newest)) return true;
    const isOfWrite = (stamp: Stamp) => compareStamps(stamp, newest) === 0;
    if (isOfWrite(expiryStamp) && isNewer(this.#expiryStamp, expiryStamp)) return true;
    return fields.some(({ field, stamp }) => {
      const held = isOfWrite(stamp) ? this.stampOf(field) : undefined;
      return held !== undefined && isNewer(held, stamp);
    });
  }

  /** Makes an expiry that has come final, for the write `stamp`: who writes now has seen it; whether it had come. */
  #end(stamp: Stamp, now: number): boolean {
    if (!this.hasExpired(now)) return false;
    const end = { ms: this.#expiry, tail: 0 };
    this.deleteOlder(isNewer(end, stamp) ? stamp : end);
    return true;
  }

  #see(stamp: Stamp): void {
    this.#newest = newerOf(this.#newest, stamp);
  }

  #setExpiry(expiry: number, stamp: Stamp): void {
    this.#expiry = expiry === 0 ? 0 : Math.max(expiry, stamp.ms + 1);
    this.#expiryStamp = stamp;
    this.#trimmed = false;
  }

  #put(field: string, stamp: Stamp, value: HashValue | undefined, limits: HashLimits): void {
    if (value === undefined) {
      this.#drop(field);
      this.#bury(field, stamp);
    } else {
      this.#set(field, value, limits);
      this.#mark(this.placeOf(field), stamp);
    }
  }

  #set(field: string, value: HashValue, limits: HashLimits): boolean {
    const isNew = super.set(field, value, limits);
    if (isNew) {
      this.#marks.push(0, 0);
      this.#exhume(field);
    }
    return isNew;
  }

  #touch(field: string): void {
    this.#touched ??= new Set();
    this.#touched.add(field);
  }

  /** Takes a field out without a trace; whether it was there. */
  #drop(field: string): boolean {
    const place = this.placeOf(field);
    if (place < 0) return false;
    const marks = this.#marks;
    if (this.isIndexed) {
      const tail = marks.pop()!;
      const ms = marks.pop()!;
      if (place < this.size - 1) this.#mark(place, { ms, tail });
    } else {
      marks.splice(place * 2, 2);
    }
    return super.delete(field);
  }

  #dropOlder(stamp: Stamp): void {
    for (let place = this.size - 1; place >= 0; place--) {
      if (isNewer(stamp, this.#markAt(place))) this.#drop(this.fieldAt(place));
    }
    for (const [field, removed] of this.#removed ?? []) {
      if (isNewer(stamp, removed)) this.#exhume(field);
    }
  }

  #bury(field: string, stamp: Stamp): void {
    this.#removed ??= new Map();
    if (!this.#removed.has(field)) this.#removedBytes += REMOVED_BYTES + field.length;
    this.#removed.set(field, stamp);
  }

  #exhume(field: string): void {
    if (this.#removed?.delete(field)) this.#removedBytes -= REMOVED_BYTES + field.length;
  }

  #mark(place: number, { ms, tail }: Stamp): void {
    this.#marks[place * 2] = ms;
    this.#marks[place * 2 + 1] = tail;
  }

  #markAt(place: number): Stamp {
    return { ms: this.#marks[place * 2]!, tail: this.#marks[place * 2 + 1]! };
  }
}

const NO_FIELDS: ReadonlySet<string> = new Set();

// What stamps take in V8, about, as measured: of the hash, of each field, of each removed field beside its text.
const STAMPS_BYTES = 300;
const MARK_BYTES = 32;
const REMOVED_BYTES = 100;

function stampConflict({ ms, tail }: Stamp): ObjectStateError {
  return new ObjectStateError(
    "STAMP_CONFLICT",
    `two writes with the stamp ${ms}.${tail} differ; nothing was merged: two nodes have the same place in the ring, or one has lost its clock`,
  );
}

function stampText({ ms, tail }: Stamp): string {
  return `${ms}.${tail}`;
}

function isSameValue(one: HashValue | undefined, other: HashValue | undefined): boolean {
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
