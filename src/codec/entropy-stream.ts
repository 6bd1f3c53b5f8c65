/** Opens an entropy channel that arrives in pieces cut at any byte, and holds no more of it than one unfinished item. */
import {
  CHUNK_LENGTH_BYTES,
  type EntropyCipher,
  type EntropyNegotiation,
  emptyChunk,
  MAX_SNAPSHOT_BYTES,
  NEGOTIATION_BYTES,
  refused,
  type SnapshotHeader,
  tooLarge,
  truncated,
} from "./entropy-format.ts";

export interface SnapshotOpenerOptions {
  /** Opens encrypted chunks. */
  readonly cipher?: EntropyCipher;
  /** With a cipher: also take a snapshot that its sender did not encrypt. False by default. */
  readonly allowPlain?: boolean;
  /** Most plain bytes to take; 2^32 - 2 by default. */
  readonly maxTotalBytes?: number;
}

/** How the opener has the parts of a channel read. */
export interface EntropyReader {
  decodeNegotiation(bytes: Uint8Array): EntropyNegotiation;
  decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeader;
  /** Length of the chunk behind these four bytes. */
  chunkLength(bytes: Uint8Array, cipherBytes: number): number;
  /** A copy of the plain bytes of a chunk. */
  openBody(body: Uint8Array, cipher: EntropyCipher | undefined): Uint8Array;
}

/** First room for an unfinished chunk, in bytes: a length alone makes nobody reserve megabytes. */
const FIRST_ROOM_BYTES = 4096;

type Awaiting = "negotiation" | "header" | "length" | "chunk" | "nothing";

/**
 * Opens one snapshot. After an error the opener is of no more use: every later call throws the same error. What was handed out
 * before stays valid, but the snapshot is only whole once `finished` is true.
 */
export class SnapshotOpener {
  readonly #reader: EntropyReader;
  readonly #options: SnapshotOpenerOptions;
  #awaiting: Awaiting = "negotiation";
  /** Bytes of the awaited item, and those of it that have come. */
  #needed = NEGOTIATION_BYTES;
  #room = new Uint8Array(0);
  #have = 0;
  #negotiation: EntropyNegotiation | undefined;
  #header: SnapshotHeader | undefined;
  #left = 0;
  #failure: unknown;

  constructor(reader: EntropyReader, options: SnapshotOpenerOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  /** What the sender stated, once it has come. */
  get negotiation(): EntropyNegotiation | undefined {
    return this.#negotiation;
  }

  get header(): SnapshotHeader | undefined {
    return this.#header;
  }

  /** Whether all plain bytes that the header states have been handed out. */
  get finished(): boolean {
    return this.#awaiting === "nothing";
  }

  /**
   * Takes the next bytes of the channel and returns the plain bytes of every chunk that they complete, in order, as copies.
   *
   * Throws CodecError: the codes of `decodeNegotiation`, `decodeSnapshotHeader` and `openChunk`; `ENTROPY_TOO_LARGE` (above
   * `maxTotalBytes`), `ENTROPY_NO_KEY` (encrypted, and no cipher given), `ENTROPY_NOT_ENCRYPTED` (plain, and a cipher given without
   * `allowPlain`), `ENTROPY_OVERSHOOT` (more plain bytes than the header states) or `ENTROPY_TRAILING` (bytes behind the last chunk).
   */
  push(bytes: Uint8Array): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#take(bytes);
    } catch (error) {
      this.#failure = error;
      this.#room = new Uint8Array(0);
      throw error;
    }
  }

  /** States that no more bytes will come. Throws CodecError `ENTROPY_TRUNCATED` when the snapshot is not whole. */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.finished) return;
    this.#failure = truncated(this.#have, this.#needed);
    throw this.#failure;
  }

  #take(bytes: Uint8Array): Uint8Array[] {
    const opened: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#awaiting === "nothing") {
        throw refused("ENTROPY_TRAILING", "bytes follow the last chunk that its header states");
      }
      const missing = this.#needed - this.#have;
      const part = bytes.subarray(at, at + missing);
      at += part.length;
      if (part.length < missing) {
        this.#keep(part);
      } else if (this.#have === 0) {
        this.#read(part, opened);
      } else {
        this.#keep(part);
        this.#have = 0;
        this.#read(this.#room.subarray(0, this.#needed), opened);
      }
    }
    return opened;
  }

  /** Keeps a part of an item. The room grows with what has come, never by what a length promises. */
  #keep(part: Uint8Array): void {
    const length = this.#have + part.length;
    if (length > this.#room.length) {
      const room = new Uint8Array(Math.min(this.#needed, Math.max(2 * length, FIRST_ROOM_BYTES)));
      room.set(this.#room.subarray(0, this.#have));
      this.#room = room;
    }
    this.#room.set(part, this.#have);
    this.#have = length;
  }

  /** Takes one whole item. */
  #read(item: Uint8Array, opened: Uint8Array[]): void {
    switch (this.#awaiting) {
      case "negotiation":
        this.#negotiation = this.#reader.decodeNegotiation(item);
        this.#await("header", this.#negotiation.headerBytes);
        return;
      case "header":
        this.#readHeader(item);
        return;
      case "length":
        this.#await("chunk", this.#reader.chunkLength(item, this.#negotiation!.cipherBytes));
        return;
      case "chunk":
        opened.push(this.#readChunk(item));
    }
  }

  #readHeader(item: Uint8Array): void {
    const header = this.#reader.decodeSnapshotHeader(item);
    const { cipher, allowPlain = false, maxTotalBytes = MAX_SNAPSHOT_BYTES } = this.#options;
    if (header.totalBytes > maxTotalBytes) throw tooLarge(header.totalBytes, maxTotalBytes);
    if (header.encrypted && cipher === undefined) {
      throw refused("ENTROPY_NO_KEY", "it is encrypted, and this node has no key for it");
    }
    if (!header.encrypted && cipher !== undefined && !allowPlain) {
      throw refused("ENTROPY_NOT_ENCRYPTED", "it is not encrypted, and this node expects it to be");
    }
    this.#header = header;
    this.#left = header.totalBytes;
    this.#awaitChunk();
  }

  #readChunk(item: Uint8Array): Uint8Array {
    const plain = this.#reader.openBody(
      item,
      this.#header!.encrypted ? this.#options.cipher : undefined,
    );
    // A chunk of padding only would let a sender go on for ever.
    if (plain.length === 0) throw emptyChunk();
    if (plain.length > this.#left) {
      throw refused(
        "ENTROPY_OVERSHOOT",
        `a chunk brings ${plain.length} bytes where ${this.#left} are left`,
      );
    }
    this.#left -= plain.length;
    this.#awaitChunk();
    return plain;
  }

  #awaitChunk(): void {
    if (this.#left === 0) this.#await("nothing", 0);
    else this.#await("length", CHUNK_LENGTH_BYTES);
  }

  #await(awaiting: Awaiting, needed: number): void {
    this.#awaiting = awaiting;
    this.#needed = needed;
  }
}
