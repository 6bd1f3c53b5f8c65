import { before, type Stamp } from "./stamp.ts";

/** What has changed at a key. */
export interface Change {
  readonly database: number;
  /** One character per byte. */
  readonly key: string;
  /** Of a host object: the elements that have changed; undefined: the whole record. */
  readonly elements: ReadonlySet<string> | undefined;
}

/** What a journal holds. */
export interface Changes {
  /** Floors by database: everything at or below them is gone. They come before the keys. */
  readonly floors: ReadonlyMap<number, Stamp>;
  /** Each key once, in the order in which they changed first. */
  readonly keys: readonly Change[];
}

/**
 * Notes which keys, and which elements of host objects, commands change between begin() and end(), so that the outcome can be sent
 * to other replicas (effect.ts). The databases of the store write it.
 */
export class Journal {
  #isActive = false;
  #floors = new Map<number, Stamp>();
  #keys = new Map<string, { database: number; key: string; elements: Set<string> | undefined }>();

  get isActive(): boolean {
    return this.#isActive;
  }

  begin(): void {
    if (this.#isActive) throw new Error("the journal has begun already");
    this.#isActive = true;
  }

  /** Ends the notes and returns them. */
  end(): Changes {
    const changes = { floors: this.#floors, keys: [...this.#keys.values()] };
    this.#isActive = false;
    this.#floors = new Map();
    this.#keys = new Map();
    return changes;
  }

  /** The record of a key was written, removed or replaced. */
  record(database: number, key: string): void {
    this.#change(database, key, undefined);
  }

  /** Elements of the object at a key were changed; none: only what the object knows as a whole. */
  elements(database: number, key: string, elements: Iterable<string>): void {
    this.#change(database, key, elements);
  }

  /** A database was emptied by the write `stamp`. */
  flushed(database: number, stamp: Stamp): void {
    // What the same commands write afterwards has the same stamp and must stay.
    this.#floors.set(database, before(stamp));
    for (const [name, change] of this.#keys) {
      if (change.database === database) this.#keys.delete(name);
    }
  }

  #change(database: number, key: string, elements: Iterable<string> | undefined): void {
    const name = `${database}:${key}`;
    const change = this.#keys.get(name);
    if (change === undefined) {
      const first = elements === undefined ? undefined : new Set(elements);
      this.#keys.set(name, { database, key, elements: first });
    } else if (elements === undefined) {
      change.elements = undefined;
    } else if (change.elements !== undefined) {
      for (const element of elements) change.elements.add(element);
    }
  }
}
