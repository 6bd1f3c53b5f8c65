/**
 * What an encrypted session sends behind the proofs, in each direction under a key of its own:
 *
 *   record   0 u32 length of what follows   4 ciphertext (1 byte to 64 KiB)   tag, 16 bytes
 *
 * AES-256-GCM; the length is authenticated too. The nonce is 4 zero bytes and a u64 that counts the records of the key. After
 * `rekeyAfterRecords` the next key follows from the one before (HKDF-Expand(key, "ringlet link 2 next")) and the count begins anew,
 * so that no nonce comes twice.
 */
import { RingletError } from "../base/errors.ts";
import {
  type AeadCipher,
  hkdfExpandKey,
  type LinkCrypto,
  NONCE_BYTES,
  TAG_BYTES,
} from "./crypto.ts";
import { view } from "./frame.ts";

/** Most bytes that one record encrypts. */
export const MAX_RECORD_BYTES = 64 * 1024;

const LENGTH_BYTES = 4;
const OVERHEAD_BYTES = LENGTH_BYTES + TAG_BYTES;
/** Memory that a direction keeps for records. */
const KEPT_BYTES = 4 * (MAX_RECORD_BYTES + OVERHEAD_BYTES);

/** The key of a direction and its nonces. */
class RecordKey {
  readonly #crypto: LinkCrypto;
  readonly #rekeyAfter: number;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  #key: Uint8Array;
  #cipher: AeadCipher;
  #records = 0;

  constructor(crypto: LinkCrypto, key: Uint8Array, rekeyAfter: number) {
    this.#crypto = crypto;
    this.#key = key;
    this.#rekeyAfter = rekeyAfter;
    this.#cipher = cipherOf(crypto, key);
  }

  /** Cipher and nonce of the next record. */
  next(): { readonly cipher: AeadCipher; readonly nonce: Uint8Array } {
    if (this.#records === this.#rekeyAfter) {
      this.#key = hkdfExpandKey(this.#crypto, this.#key, "ringlet link 2 next");
      this.#cipher = cipherOf(this.#crypto, this.#key);
      this.#records = 0;
    }
    view(this.#nonce).setBigUint64(NONCE_BYTES - 8, BigInt(this.#records++), true);
    return { cipher: this.#cipher, nonce: this.#nonce };
  }
}

/** Encrypts what one side sends. */
export class RecordSealer {
  readonly #key: RecordKey;
  #out = new Uint8Array(0);

  constructor(crypto: LinkCrypto, key: Uint8Array, rekeyAfter: number) {
    this.#key = new RecordKey(crypto, key, rekeyAfter);
  }

  /** `plain` as records, valid until the next call. */
  seal(plain: Uint8Array): Uint8Array {
    const count = Math.ceil(plain.length / MAX_RECORD_BYTES);
    const total = plain.length + count * OVERHEAD_BYTES;
    const out = this.#room(total);
    let at = 0;
    for (let from = 0; from < plain.length; from += MAX_RECORD_BYTES) {
      const part = plain.subarray(from, from + MAX_RECORD_BYTES);
      const header = out.subarray(at, at + LENGTH_BYTES);
      view(header).setUint32(0, part.length + TAG_BYTES, true);
      const { cipher, nonce } = this.#key.next();
      at += LENGTH_BYTES;
      cipher.seal(nonce, header, part, out.subarray(at, at + part.length + TAG_BYTES));
      at += part.length + TAG_BYTES;
    }
    return out.subarray(0, total);
  }

  #room(length: number): Uint8Array {
    if (length > KEPT_BYTES) return new Uint8Array(length);
    if (this.#out.length < length) {
      this.#out = new Uint8Array(Math.min(KEPT_BYTES, 2 * length));
    }
    return this.#out;
  }
}

/** Decrypts what the other side sends, wherever it is cut. */
export class RecordOpener {
  readonly #key: RecordKey;
  readonly #plain = new Uint8Array(MAX_RECORD_BYTES);
  /** A record of which a part has come. */
  readonly #part = new Uint8Array(MAX_RECORD_BYTES + OVERHEAD_BYTES);
  #filled = 0;

  constructor(crypto: LinkCrypto, key: Uint8Array, rekeyAfter: number) {
    this.#key = new RecordKey(crypto, key, rekeyAfter);
  }

  /**
   * Gives what each whole record holds to `take`, which has it until it returns and answers false to stop. Throws RingletError
   * UNDECRYPTABLE; nothing can be read any more then.
   */
  push(bytes: Uint8Array, take: (plain: Uint8Array) => boolean): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#filled === 0 && bytes.length - at >= LENGTH_BYTES) {
        const length = LENGTH_BYTES + lengthAt(bytes, at);
        if (length <= bytes.length - at) {
          at += length;
          if (!take(this.#open(bytes.subarray(at - length, at)))) return;
          continue;
        }
      }
      const wanted =
        this.#filled < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + lengthAt(this.#part, 0);
      const more = bytes.subarray(at, at + wanted - this.#filled);
      this.#part.set(more, this.#filled);
      this.#filled += more.length;
      at += more.length;
      if (this.#filled < LENGTH_BYTES) return;
      const length = LENGTH_BYTES + lengthAt(this.#part, 0);
      if (this.#filled < length) continue;
      this.#filled = 0;
      if (!take(this.#open(this.#part.subarray(0, length)))) return;
    }
  }

  #open(record: Uint8Array): Uint8Array {
    const header = record.subarray(0, LENGTH_BYTES);
    const sealed = record.subarray(LENGTH_BYTES);
    const plain = this.#plain.subarray(0, sealed.length - TAG_BYTES);
    const { cipher, nonce } = this.#key.next();
    if (!cipher.open(nonce, header, sealed, plain)) {
      throw undecryptable("a record is not what the peer encrypted");
    }
    return plain;
  }
}

/** Length of the record whose first bytes are at `at`. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const length = view(bytes).getUint32(at, true);
  if (length <= TAG_BYTES || length > MAX_RECORD_BYTES + TAG_BYTES) {
    throw undecryptable(`a record says that it has ${length} bytes`);
  }
  return length;
}

function cipherOf(crypto: LinkCrypto, key: Uint8Array): AeadCipher {
  if (crypto.aes256Gcm === undefined) {
    throw new RingletError("NO_AEAD", "this runtime has no synchronous AES-256-GCM");
  }
  return crypto.aes256Gcm(key);
}

function undecryptable(reason: string): RingletError {
  return new RingletError("UNDECRYPTABLE", reason);
}
