/** The session key of a connection that a C node encrypts, written from its description: RSA-OAEP, and AES-128-CBC in chunks. */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { encodeRequest } from "../../unit/store/harness.ts";
import { REQ } from "./dnode-client.ts";

const latin1 = (bytes: Buffer) => bytes.toString("latin1");

export class SessionKey {
  readonly #bytes: Buffer;
  readonly #wrapped: string;
  readonly #chunkBytes: number;
  #isSent = false;

  /** `pem`: the key that the nodes share; `mbufBytes`: the buffers that chunks are made of. */
  constructor(pem: string, mbufBytes = 16_384, bytes = randomBytes(32)) {
    this.#bytes = bytes;
    const key = createPublicKey(pem);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    this.#wrapped = latin1(publicEncrypt({ key, padding, oaepHash: "sha1" }, this.#bytes));
    this.#chunkBytes = mbufBytes - 64;
  }

  /** The key that a peer has sent in a data field. Throws where it is none. */
  static unwrap(pem: string, wrapped: string): SessionKey {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const bytes = privateDecrypt(
      { key: pem, padding, oaepHash: "sha1" },
      Buffer.from(wrapped, "latin1"),
    );
    return new SessionKey(pem, undefined, bytes);
  }

  /** A request; the first one has the session key in its data field. */
  request(id: number, args: readonly string[], type = REQ): string {
    const data = this.#isSent ? "d" : this.#wrapped;
    this.#isSent = true;
    return this.frame(id, this.seal(encodeRequest(args)), data, type);
  }

  /** A frame with a payload that is encrypted, or should be. */
  frame(id: number, payload: string, data = this.#wrapped, type = REQ): string {
    return `   $2014$ ${id} ${type} 1 1 1 *${data.length} ${data} *${payload.length}\r\n${payload}`;
  }

  /** A payload of an answer in the clear. */
  readonly open = (payload: string): string => {
    const bytes = Buffer.from(payload, "latin1");
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += this.#chunkBytes + 16) {
      const key = this.#bytes.subarray(0, 16);
      const cipher = createDecipheriv("aes-128-cbc", key, key);
      const chunk = bytes.subarray(at, at + this.#chunkBytes + 16);
      parts.push(cipher.update(chunk), cipher.final());
    }
    return latin1(Buffer.concat(parts));
  };

  /** A payload, encrypted. */
  seal(payload: string): string {
    const bytes = Buffer.from(payload, "latin1");
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += this.#chunkBytes) {
      const key = this.#bytes.subarray(0, 16);
      const cipher = createCipheriv("aes-128-cbc", key, key);
      parts.push(cipher.update(bytes.subarray(at, at + this.#chunkBytes)), cipher.final());
    }
    return latin1(Buffer.concat(parts));
  }
}
