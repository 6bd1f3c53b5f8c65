/** A value that lives on the host: hashes now, other types later. The table holds its handle. */
export interface HostObject {
  /** Redis's name of the type, for TYPE. */
  readonly type: "hash" | "list" | "set" | "zset";
  /** For OBJECT ENCODING. */
  encoding(): string;
  /** About how many bytes it takes: counts against maxmemory. Kept up to date by the object. */
  readonly bytes: number;
  /** How many elements it has; a key with an empty object is removed. */
  readonly size: number;
  /** A deep copy, for COPY. */
  clone(): HostObject;
}

/** The host objects of one table by handle. Handles of objects that are gone are used again. */
export class ObjectRegistry {
  readonly #objects: (HostObject | undefined)[] = [];
  readonly #free: number[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Takes an object in and returns its handle. */
  add(object: HostObject): number {
    this.#count++;
    const handle = this.#free.pop() ?? this.#objects.length;
    this.#objects[handle] = object;
    return handle;
  }

  get(handle: number): HostObject {
    const object = this.#objects[handle];
    if (object === undefined) throw new Error(`no object has the handle ${handle}`);
    return object;
  }

  /** Lets go of an object. */
  remove(handle: number): void {
    if (this.#objects[handle] === undefined) return;
    this.#objects[handle] = undefined;
    this.#free.push(handle);
    this.#count--;
  }
}
