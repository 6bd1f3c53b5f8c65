/**
 * How a connection becomes a session, as a machine without a socket: bytes of the peer in, bytes to send and the end out.
 *
 *   dialler                                     acceptor
 *   advertisement ────────────────────────────>                       (framing 1, opening.ts)
 *                 <──────────────────────────── advertisement, marker, HELLO
 *   marker, HELLO, PROOF ─────────────────────>                       (framing 2, control-frame.ts)
 *                 <──────────────────────────── PROOF                 the acceptor's session is open
 *   the dialler's session is open
 *
 * Either may send REFUSE in the place of what it would send next. With a secret and ringlet_aead "aes-256-gcm", what each side sends
 * behind its PROOF is encrypted (records.ts). An acceptor proves nothing to a dialler that has not proven the secret.
 */
import { RingletError } from "../base/errors.ts";
import { concat } from "../codec/concat.ts";
import type { AgreedCapabilities, CapabilityRegistry } from "./capability.ts";
import { bodyFrame, CONTROL, frameBody, readText, textFrame } from "./control-frame.ts";
import { equalBytes, type LinkCrypto } from "./crypto.ts";
import { frameHead } from "./frame.ts";
import { FrameSplitter } from "./frame-splitter.ts";
import { decodeHello, encodeHello, type Hello, type LinkRole } from "./hello.ts";
import type { LinkLimits } from "./limits.ts";
import {
  advertisementFrame,
  type LinkCodec,
  markerFrame,
  type OpeningEvent,
  OpeningReader,
} from "./opening.ts";
import { deriveKeys, type LinkKeys } from "./proof.ts";
import { AEAD_NAMES, FRAMING } from "./ringlet-capabilities.ts";

/** Codes of refusals: those of the handshake itself, and those of who admits peers (hub.ts). */
export const REFUSAL_CODES = [
  "BAD_HELLO",
  "REFLECTED",
  "SECRET_MISSING",
  "SECRET_MISMATCH",
  "NOT_ENCRYPTED",
  "NOT_ADMITTED",
  "WRONG_PEER",
  "HELD_DOWN",
  "SELF",
  "DUPLICATE",
] as const;

/** Why a peer is refused, or refuses. */
export interface Refusal {
  readonly code: (typeof REFUSAL_CODES)[number] | "UNKNOWN";
  /** A sentence that both sides can read. */
  readonly text: string;
}

export interface HandshakeOptions {
  readonly role: LinkRole;
  readonly codec: LinkCodec;
  readonly crypto: LinkCrypto;
  readonly registry: CapabilityRegistry;
  /** The cluster secret; empty: none. */
  readonly secret: Uint8Array;
  /** Refuses a peer with which the session could not be encrypted. */
  readonly requireEncryption: boolean;
  readonly limits: LinkLimits;
  /** A peer that speaks no more than version 1 is served: what is no opening is its traffic. */
  readonly servesVersion1?: boolean;
  /** What this node says of itself; called once, when it says it. */
  hello(): Hello;
  /** Which link the peer gets, or why none. The dialler asks before the peer has proven the secret, the acceptor afterwards. */
  admit(hello: Hello): { readonly link: number } | Refusal;
}

/** How a handshake ends. */
export type HandshakeEnd =
  | {
      readonly kind: "proven";
      readonly link: number;
      readonly hello: Hello;
      readonly agreed: AgreedCapabilities;
      /** Keys of what this side and the other send from now on; undefined: in the clear. */
      readonly records: { readonly seal: Uint8Array; readonly open: Uint8Array } | undefined;
      /** What has come behind the handshake. */
      readonly rest: Uint8Array;
    }
  /** This node refuses; the peer is told by what is to be sent. */
  | { readonly kind: "refusing"; readonly refusal: Refusal; readonly hello: Hello | undefined }
  /** The peer refuses. */
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** The peer speaks framing version 1 only. */
  | { readonly kind: "version1" }
  /** What came is no handshake. */
  | { readonly kind: "broken"; readonly reason: string };

export interface HandshakeStep {
  /** Bytes to send, in one write; none: undefined. */
  readonly send: Uint8Array | undefined;
  readonly end: HandshakeEnd | undefined;
}

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #opening: OpeningReader;
  readonly #splitter: FrameSplitter;
  readonly #advertisement: { readonly data: Uint8Array; readonly frame: Uint8Array };
  #framing: 1 | 2 = 1;
  #peerAdvertisement: Uint8Array | undefined;
  #agreed: AgreedCapabilities | undefined;
  #hello: { readonly body: Uint8Array; readonly nonce: Uint8Array } | undefined;
  #peer: { readonly hello: Hello; readonly body: Uint8Array } | undefined;
  #link = -1;
  #markerSent = false;
  #send: Uint8Array[] = [];
  #end: HandshakeEnd | undefined;

  /** Throws RingletError ADVERTISEMENT_TOO_LONG. */
  constructor(options: HandshakeOptions) {
    const { codec, limits, registry } = options;
    this.#options = options;
    this.#opening = new OpeningReader(codec, limits.maxOpeningBytes, options.servesVersion1);
    this.#splitter = new FrameSplitter(limits.maxHelloBytes);
    this.#advertisement = advertisementFrame(codec, registry.advertisement());
  }

  /** Whether the peer has said that it speaks more than version 1. */
  get hasAdvertisement(): boolean {
    return this.#peerAdvertisement !== undefined;
  }

  /** What has come and is no part of a handshake, when it has ended with "version1" or no byte has come. */
  get unread(): Uint8Array {
    return this.#opening.unread;
  }

  /** What to send before anything has come: the dialler's advertisement. */
  start(): Uint8Array | undefined {
    return this.#options.role === "dialler" ? this.#advertisement.frame : undefined;
  }

  /** Takes what the peer sent. Nothing may come after the end. */
  received(bytes: Uint8Array): HandshakeStep {
    this.#send = [];
    if (this.#framing === 1) this.#receivedOpening(bytes);
    else this.#receivedFrames(bytes);
    const send = this.#send.length === 0 ? undefined : concat(this.#send);
    return { send, end: this.#end };
  }

  #receivedOpening(bytes: Uint8Array): void {
    for (const event of this.#opening.push(bytes)) {
      this.#opened(event);
      if (this.#end !== undefined) return;
    }
  }

  #opened(event: OpeningEvent): void {
    switch (event.kind) {
      case "advertisement":
        this.#advertised(event);
        return;
      case "marker":
        if (this.#agreed === undefined) {
          this.#end = { kind: "broken", reason: "it switched framing before it advertised" };
          return;
        }
        this.#framing = 2;
        this.#receivedFrames(event.rest);
        return;
      case "version1":
        this.#end = event;
        return;
      case "broken":
        this.#end = event;
        return;
    }
  }

  #advertised({ data, entries }: Extract<OpeningEvent, { kind: "advertisement" }>): void {
    if (this.#peerAdvertisement !== undefined) {
      this.#end = { kind: "broken", reason: "it advertised twice" };
      return;
    }
    const { role, registry } = this.#options;
    this.#peerAdvertisement = data;
    this.#agreed = registry.agree(entries);
    const speaksTwo = this.#agreed.value(FRAMING.name) === 2;
    if (role === "acceptor") {
      this.#send.push(this.#advertisement.frame);
      if (speaksTwo) this.#sendHello();
    }
    if (!speaksTwo) this.#end = { kind: "version1" };
  }

  #receivedFrames(bytes: Uint8Array): void {
    try {
      const taken = this.#splitter.push(bytes, (frame) => {
        this.#frame(frame);
        return this.#end === undefined;
      });
      const end = this.#end as HandshakeEnd | undefined;
      if (end?.kind === "proven") this.#end = { ...end, rest: bytes.slice(taken) };
    } catch (error) {
      const reason = error instanceof RingletError ? error.message : String(error);
      this.#end = { kind: "broken", reason };
    }
  }

  #frame(frame: Uint8Array): void {
    const { type } = frameHead(frame);
    if (type === CONTROL.refuse) {
      this.#end = { kind: "refused", refusal: refusalOf(readText(frame)) };
    } else if (type === CONTROL.hello && this.#peer === undefined) {
      this.#helloCame(frameBody(frame).slice());
    } else if (type === CONTROL.proof && this.#peer !== undefined) {
      this.#proofCame(frameBody(frame));
    } else {
      this.#end = { kind: "broken", reason: `it sent a frame of type ${type} in the handshake` };
    }
  }

  #helloCame(body: Uint8Array): void {
    const { role, secret, requireEncryption, admit } = this.#options;
    const hello = decodeHello(body);
    if (hello === undefined) {
      this.#refuse("BAD_HELLO", "the hello cannot be read");
      return;
    }
    this.#peer = { hello, body };
    if (hello.who === role) {
      this.#refuse("REFLECTED", `both sides say that they are the ${role} of the connection`);
      return;
    }
    if (hello.secured !== secret.length > 0) {
      const [has, lacks] = hello.secured ? [hello.who, role] : [role, hello.who];
      this.#refuse(
        "SECRET_MISSING",
        `the ${has} of the connection has a cluster secret and the ${lacks} has none; give all nodes the same one`,
      );
      return;
    }
    if (requireEncryption && !this.#encrypts) {
      this.#refuse(
        "NOT_ENCRYPTED",
        `the ${role} of the connection requires encryption (require-encryption), and the ${hello.who} cannot encrypt; run all nodes where AES-256-GCM is available, or let none require it`,
      );
      return;
    }
    if (role === "acceptor") return;
    if (!this.#admitted(admit(hello))) return;
    this.#sendHello();
    this.#send.push(bodyFrame(CONTROL.proof, this.#keys().proofs.dialler));
  }

  #proofCame(proof: Uint8Array): void {
    const { role, secret, admit } = this.#options;
    const hello = this.#peer!.hello;
    const keys = this.#keys();
    if (!equalBytes(proof, keys.proofs[hello.who])) {
      this.#refuse(
        "SECRET_MISMATCH",
        secret.length > 0
          ? "the cluster secrets of the two nodes differ; give all nodes the same one"
          : "the two nodes have not read the same handshake; something between them changes it",
      );
      return;
    }
    if (role === "acceptor") {
      if (!this.#admitted(admit(hello))) return;
      this.#send.push(bodyFrame(CONTROL.proof, keys.proofs.acceptor));
    }
    this.#end = {
      kind: "proven",
      link: this.#link,
      hello,
      agreed: this.#agreed!,
      records: this.#encrypts
        ? { seal: keys.records[role], open: keys.records[hello.who] }
        : undefined,
      rest: new Uint8Array(0),
    };
  }

  /** Whether the session will be encrypted, as far as both have said what they can. */
  get #encrypts(): boolean {
    const { secret, crypto } = this.#options;
    return (
      secret.length > 0 &&
      crypto.aes256Gcm !== undefined &&
      this.#agreed!.value("ringlet_aead") === AEAD_NAMES[1]
    );
  }

  #admitted(verdict: { readonly link: number } | Refusal): boolean {
    if ("link" in verdict) {
      this.#link = verdict.link;
      return true;
    }
    this.#refuse(verdict.code, verdict.text);
    return false;
  }

  #keys(): LinkKeys {
    const { crypto, secret, role } = this.#options;
    const own = this.#hello!;
    const peer = this.#peer!;
    const inRoles = <Value>(mine: Value, theirs: Value) =>
      role === "dialler"
        ? { dialler: mine, acceptor: theirs }
        : { dialler: theirs, acceptor: mine };
    return deriveKeys(crypto, secret, {
      advertisements: inRoles(this.#advertisement.data, this.#peerAdvertisement!),
      hellos: inRoles(own.body, peer.body),
      nonces: inRoles(own.nonce, peer.hello.nonce),
    });
  }

  #sendHello(): void {
    const hello = this.#options.hello();
    const body = encodeHello(hello);
    this.#hello = { body, nonce: hello.nonce };
    this.#sendMarker();
    this.#send.push(bodyFrame(CONTROL.hello, body));
  }

  #sendMarker(): void {
    if (this.#markerSent) return;
    this.#markerSent = true;
    this.#send.push(markerFrame(this.#options.codec));
  }

  #refuse(code: Refusal["code"], text: string): void {
    const hello = this.#peer?.hello;
    // An acceptor that has the dialler's proof may read records already: there is no place for a REFUSE any more.
    const isHeard = this.#options.role === "acceptor" || this.#hello === undefined;
    if (isHeard || this.#options.secret.length === 0) {
      this.#sendMarker();
      this.#send.push(textFrame(CONTROL.refuse, `${code} ${text}`));
    }
    this.#end = { kind: "refusing", refusal: { code, text }, hello };
  }
}

/** The peer's words. A code that this build does not know counts as UNKNOWN: counters must not grow by what peers make up. */
function refusalOf(words: string): Refusal {
  const code = REFUSAL_CODES.find((one) => words.startsWith(`${one} `));
  return code === undefined
    ? { code: "UNKNOWN", text: words }
    : { code, text: words.slice(code.length + 1) };
}
