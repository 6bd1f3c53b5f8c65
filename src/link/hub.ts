/**
 * All links of a node: it listens for peers, dials them, and keeps one session with each, again and again.
 */
import { toHex } from "../base/hex.ts";
import type { Logger } from "../base/logger.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { ByteStream, Listener, RefusedStream, StreamHandler } from "../transport/stream.ts";
import type { PeerAddress, Transport } from "../transport/transport.ts";
import { Backoff } from "./backoff.ts";
import { CapabilityRegistry } from "./capability.ts";
import { Connection, type ConnectionFailure, type ProvenHandshake } from "./connection.ts";
import { printable } from "./control-frame.ts";
import { countOne, type LinkCounters, newLinkCounters } from "./counters.ts";
import type { LinkCrypto } from "./crypto.ts";
import type { DialledConnection } from "./dnode/dialled-connection.ts";
import { DialledConnections, type Version1Peers } from "./dnode/dialled-connections.ts";
import { ServedConnections, type ServedConnectionsOptions } from "./dnode/served-connections.ts";
import { countFailure, describeFailure, type FailureWords, hostOf, nameOf } from "./failure.ts";
import { Handshake, type Refusal } from "./handshake.ts";
import { BOOT_ID_BYTES, type Boot, HELLO_NONCE_BYTES, type Hello, isSameBoot } from "./hello.ts";
import { LINK_LIMITS, type LinkLimits } from "./limits.ts";
import type { LinkEvents, LinkPeer, LinkSession } from "./link.ts";
import { advertisementFrame, type LinkCodec } from "./opening.ts";
import { takesPlace } from "./precedence.ts";
import { RecordOpener, RecordSealer } from "./records.ts";
import { RepeatedLog } from "./repeated-log.ts";
import { ringletCapabilities } from "./ringlet-capabilities.ts";
import { Session } from "./session.ts";

export interface LinkHubOptions {
  readonly runtime: Runtime;
  readonly transport: Transport;
  readonly codec: LinkCodec;
  readonly crypto: LinkCrypto;
  readonly log: Logger;
  readonly events: LinkEvents;
  /** Link number of this node. */
  readonly self: number;
  /** Whom to dial; peers that are not among them are taken in if events.admit() does. */
  readonly peers: readonly LinkPeer[];
  /** The cluster secret: at least 16 random characters, the same on all nodes. Empty or left out: none. */
  readonly secret?: string;
  /** Refuses peers with which a session could not be encrypted; without it, such a session is open, with a warning. */
  readonly requireEncryption?: boolean;
  /** What this node advertises; all that this build has by default. */
  readonly capabilities?: CapabilityRegistry;
  readonly limits?: Partial<LinkLimits>;
  /** Dials peers that speak no more than version 1, too; left out: it gives such connections up. */
  readonly version1Peers?: Version1Peers | undefined;
  /** Serves peers that dial this node and speak no more than version 1; left out: nobody does. */
  readonly version1?: ServedConnectionsOptions | undefined;
}

/** A peer and how the link to it is. */
export interface LinkState {
  readonly link: number;
  readonly address: PeerAddress | undefined;
  readonly session: LinkSession | undefined;
  /** Why there is no session, as far as this node knows. */
  readonly failure: string | undefined;
}

/** What the hub keeps of a peer. */
interface Peer {
  readonly link: number;
  address: PeerAddress | undefined;
  session: Session | undefined;
  /** A connection that it is to prove itself on as a version 1 peer, or has. */
  version1: DialledConnection | undefined;
  readonly backoff: Backoff;
  /** Before the first dial, and before the first after a session that lived. */
  isFresh: boolean;
  isDialling: boolean;
  /** Until the next dial. */
  wait: Timer | undefined;
  failure: string | undefined;
  /** An operator holds the link down. */
  isHeld: boolean;
}

/** A connection that is no session yet. */
interface Pending {
  /** Whom this node has dialled; undefined: the connection was taken in. */
  readonly dialled: Peer | undefined;
  readonly attempt: number;
  /** The peer's wall clock minus this node's when its hello came, in ms. */
  helloOffsetMs: number;
  /** Of a dial: the run of the peer that this node has sent its proof to. It may have opened its session since. */
  provenTo: Boot | undefined;
}

export class LinkHub {
  readonly counters: LinkCounters = newLinkCounters();
  readonly limits: LinkLimits;
  readonly #options: LinkHubOptions;
  readonly #registry: CapabilityRegistry;
  readonly #secret: Uint8Array;
  readonly #boot: Boot;
  readonly #said: RepeatedLog;
  readonly #peers = new Map<number, Peer>();
  readonly #pending = new Map<Connection, Pending>();
  readonly #listeners: Listener[] = [];
  readonly #version1: ServedConnections | undefined;
  readonly #version1Dialled: DialledConnections | undefined;
  readonly #ticks: Timer;
  #attempts = 0;
  #isDialling = false;
  #isClosed = false;

  /** Throws RingletError ADVERTISEMENT_TOO_LONG. */
  constructor(options: LinkHubOptions) {
    const { runtime, crypto, codec, secret = "", log } = options;
    this.#options = options;
    this.limits = { ...LINK_LIMITS, ...options.limits };
    this.#secret = new TextEncoder().encode(secret);
    const canEncrypt = secret !== "" && crypto.aes256Gcm !== undefined;
    this.#registry =
      options.capabilities ?? new CapabilityRegistry(ringletCapabilities(canEncrypt));
    advertisementFrame(codec, this.#registry.advertisement());
    this.#boot = {
      startedAt: Math.max(0, Math.floor(runtime.now())),
      id: toHex(runtime.randomBytes(BOOT_ID_BYTES)),
    };
    this.#said = new RepeatedLog(log);
    this.#version1 =
      options.version1 && new ServedConnections(options.version1, this.counters.version1);
    this.#version1Dialled =
      options.version1Peers &&
      new DialledConnections(
        { runtime, codec, log, peers: options.version1Peers },
        this.limits,
        this.counters.version1,
      );
    this.setPeers(options.peers);
    this.#ticks = runtime.every(this.limits.pingIntervalMs, () => {
      for (const session of this.sessions()) (session as Session).tick();
    });
  }

  /** Takes peers in at an address (port 0: any that is free). Rejects with what the transport throws. */
  async listen(address: PeerAddress): Promise<Listener> {
    const accept = (stream: ByteStream) => this.#accept(stream);
    const refused = (connection: RefusedStream) => this.#refusedStream(connection);
    const listener = await this.#options.transport.listen(address, accept, refused);
    if (this.#isClosed) await listener.close();
    else this.#listeners.push(listener);
    return listener;
  }

  /** Begins to dial peers. */
  start(): void {
    this.#isDialling = true;
    for (const peer of this.#peers.values()) this.#dialLater(peer);
  }

  /** Dials these peers from now on. Sessions with others stay until they end. */
  setPeers(peers: readonly LinkPeer[]): void {
    for (const peer of this.#peers.values()) peer.address = undefined;
    for (const { link, address } of peers) {
      if (link === this.#options.self) continue;
      const peer = this.#peer(link);
      peer.address = address;
      this.#dialLater(peer);
    }
    for (const peer of this.#peers.values()) {
      if (peer.address === undefined) peer.wait?.cancel();
    }
  }

  /** Changes how much may wait for a peer, also of the sessions that are open. */
  setMaxQueueBytes(maxLinkQueueBytes: number): void {
    Object.assign(this.limits, { maxLinkQueueBytes });
  }

  /** The open session with a peer. */
  session(link: number): LinkSession | undefined {
    return this.#peers.get(link)?.session;
  }

  /** All open sessions. */
  sessions(): LinkSession[] {
    const sessions: LinkSession[] = [];
    for (const { session } of this.#peers.values())
      if (session !== undefined) sessions.push(session);
    return sessions;
  }

  /** Every peer, for operators. */
  describe(): LinkState[] {
    return [...this.#peers.values()].map(({ link, address, session, failure }) => ({
      link,
      address,
      session,
      failure: session === undefined ? failure : undefined,
    }));
  }

  /** Ends the session with a peer ("held down"), and has none with it until release(). */
  hold(link: number): void {
    const peer = this.#peer(link);
    peer.isHeld = true;
    peer.wait?.cancel();
    peer.session?.close("held down");
    peer.failure = HELD_DOWN.text;
  }

  /** Ends hold(). */
  release(link: number): void {
    const peer = this.#peer(link);
    if (!peer.isHeld) return;
    peer.isHeld = false;
    this.#dialLater(peer);
  }

  /** Ends the session with a peer ("reset"); the next one is made at once. */
  reset(link: number): void {
    this.#peer(link).session?.close("reset");
  }

  /** Ends every session ("stopped"), stops dialling and listening. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ticks.cancel();
    for (const connection of this.#pending.keys()) connection.abandon();
    this.#version1?.close();
    this.#pending.clear();
    for (const peer of this.#peers.values()) {
      peer.wait?.cancel();
      peer.session?.close("stopped");
      peer.version1?.close("stopped");
    }
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  #peer(link: number): Peer {
    let peer = this.#peers.get(link);
    if (peer === undefined) {
      peer = {
        link,
        address: undefined,
        session: undefined,
        version1: undefined,
        backoff: new Backoff(this.limits),
        isFresh: true,
        isDialling: false,
        wait: undefined,
        failure: undefined,
        isHeld: false,
      };
      this.#peers.set(link, peer);
    }
    return peer;
  }

  #dialLater(peer: Peer): void {
    const { runtime, self } = this.#options;
    peer.wait?.cancel();
    peer.wait = undefined;
    if (!this.#isDialling || this.#isClosed || peer.isDialling || peer.isHeld) return;
    if (peer.address === undefined || peer.session !== undefined) return;
    if (peer.version1 !== undefined) return;
    const data = runtime.randomBytes(4);
    const random = new DataView(data.buffer, data.byteOffset).getUint32(0, true) / 2 ** 32;
    // Where both sides would dial at once, the one whose connection would not stay lets the other go first.
    const yieldMs = peer.isFresh && self > peer.link ? this.limits.yieldMs : 0;
    const delayMs = yieldMs + peer.backoff.next(random);
    peer.isFresh = false;
    peer.wait = runtime.after(delayMs, () => {
      void this.#dial(peer);
    });
  }

  async #dial(peer: Peer): Promise<void> {
    const { address } = peer;
    peer.wait = undefined;
    if (address === undefined || peer.session !== undefined || this.#isClosed) return;
    peer.isDialling = true;
    this.counters.dials++;
    const attempt = ++this.#attempts;
    let stream: ByteStream;
    try {
      stream = await this.#options.transport.dial(address, this.limits.dialTimeoutMs);
    } catch (error) {
      this.counters.dialFailures++;
      peer.isDialling = false;
      const message = error instanceof Error ? error.message : String(error);
      this.#failed(peer, { reason: message, message });
      return;
    }
    // A session that has opened meanwhile needs no second one.
    if (this.#isClosed || peer.session !== undefined || peer.isHeld) {
      peer.isDialling = false;
      stream.destroy();
      return;
    }
    this.#connect(stream, { dialled: peer, attempt, helloOffsetMs: 0, provenTo: undefined });
  }

  #accept(stream: ByteStream): void {
    this.counters.accepts++;
    let waiting = 0;
    for (const { dialled } of this.#pending.values()) if (dialled === undefined) waiting++;
    if (this.#isClosed || waiting >= this.limits.maxPendingHandshakes) {
      this.counters.acceptsRefused++;
      stream.destroy();
      return;
    }
    this.#connect(stream, {
      dialled: undefined,
      attempt: 0,
      helloOffsetMs: 0,
      provenTo: undefined,
    });
  }

  /** The transport has not let a peer in. */
  #refusedStream({ remoteAddress, reason }: RefusedStream): void {
    countOne(this.counters.refusals, "NOT_TRUSTED");
    const host = hostOf(remoteAddress);
    const message = `Refused the peer at ${host} (NOT_TRUSTED): ${printable(reason)}.`;
    this.#said.say(`host ${host}`, reason, message);
  }

  #connect(stream: ByteStream, pending: Pending): void {
    const { runtime, codec, crypto } = this.#options;
    const { dialled, attempt } = pending;
    const role = dialled === undefined ? "acceptor" : "dialler";
    const servesVersion1 = dialled === undefined && this.#version1?.isServing === true;
    const handshake = new Handshake({
      role,
      codec,
      crypto,
      registry: this.#registry,
      secret: this.#secret,
      requireEncryption: this.#options.requireEncryption === true && stream.isEncrypted !== true,
      limits: this.limits,
      servesVersion1,
      hello: () => ({
        who: role,
        nonce: runtime.randomBytes(HELLO_NONCE_BYTES),
        secured: this.#secret.length > 0,
        boot: this.#boot,
        attempt,
        facts: this.#options.events.facts(),
      }),
      admit: (hello) => this.#admit(hello, pending),
    });
    const connection = new Connection({
      stream,
      handshake,
      runtime,
      limits: this.limits,
      proven: (one, end) => this.#proven(one, pending, end),
      version1: (one) => {
        const handler =
          dialled !== undefined
            ? this.#dialVersion1(one, dialled)
            : servesVersion1
              ? this.#serveVersion1(one)
              : undefined;
        if (handler !== undefined) this.#pending.delete(one);
        return handler;
      },
      failed: (one, failure) => this.#connectionFailed(one, pending, failure),
    });
    this.#pending.set(connection, pending);
    connection.start();
  }

  /** A connection that was taken in speaks no more than version 1. */
  #serveVersion1({ stream }: Connection): StreamHandler | undefined {
    const host = hostOf(stream.remoteAddress);
    return this.#version1?.take(stream, (code) => {
      if (code === undefined) return;
      const words = `Closed a connection of a version 1 peer at ${host} (${code}): what it sent could not be served.`;
      this.#said.say(`version 1 ${host}`, code, words);
    });
  }

  /** A connection that this node has dialled shows no more than version 1. */
  #dialVersion1({ stream }: Connection, peer: Peer): StreamHandler | undefined {
    if (this.#isClosed) return undefined;
    const version1 = this.#version1Dialled?.take(peer.link, stream, {
      proven: () => {
        peer.isDialling = false;
        peer.failure = undefined;
        peer.backoff.reset();
        this.#said.forget(`link ${peer.link}`);
      },
      ended: (end) => {
        peer.version1 = undefined;
        peer.isDialling = false;
        if (this.#isClosed || peer.session !== undefined) return;
        if (end.kind === "lost") {
          peer.failure = `the last connection ended: ${end.reason}`;
          this.#dialLater(peer);
          return;
        }
        countFailure(this.counters, { kind: "version1" });
        const words = describeFailure({ kind: "version1" }, stream.remoteAddress, true);
        this.#failed(peer, end.kind === "refused" ? end : words);
      },
    });
    peer.version1 = version1;
    return version1;
  }

  #admit(hello: Hello, pending: Pending): { readonly link: number } | Refusal {
    const { self, events, runtime } = this.#options;
    const { dialled, attempt } = pending;
    pending.helloOffsetMs = hello.facts.now - runtime.now();
    const verdict = events.admit(hello.facts);
    if ("refusal" in verdict) return { code: "NOT_ADMITTED", text: verdict.refusal };
    const { link } = verdict;
    if (link === self) {
      return { code: "SELF", text: `both nodes say that they are ${nameOf(hello.facts)}` };
    }
    if (dialled !== undefined && dialled.link !== link) {
      const text = `the node at this address is ${nameOf(hello.facts)}, and another was expected; compare the configured addresses`;
      return { code: "WRONG_PEER", text };
    }
    if (this.#peers.get(link)?.isHeld === true) return HELD_DOWN;
    const present = this.#peers.get(link)?.session;
    if (dialled !== undefined) {
      // There was none when this node began to dial: a session with the same run has opened meanwhile, and may be in use.
      if (present !== undefined && isSameBoot(present.hello.boot, hello.boot)) return DUPLICATE;
    } else if (self < link && this.#hasProvenTo(link, hello.boot)) {
      return DUPLICATE;
    }
    if (present !== undefined && !this.#replaces(present, hello, dialled, attempt)) {
      present.probe();
      return DUPLICATE;
    }
    if (dialled !== undefined) pending.provenTo = hello.boot;
    return { link };
  }

  /** Whether a connection that this node has dialled is so far that the peer may use it already. */
  #hasProvenTo(link: number, boot: Boot): boolean {
    for (const { dialled, provenTo } of this.#pending.values()) {
      if (dialled?.link === link && provenTo !== undefined && isSameBoot(provenTo, boot))
        return true;
    }
    return false;
  }

  #replaces(present: Session, hello: Hello, dialled: Peer | undefined, attempt: number): boolean {
    return takesPlace(
      dialled === undefined
        ? { dialledBy: "peer", attempt: hello.attempt, peerBoot: hello.boot }
        : { dialledBy: "self", attempt, peerBoot: hello.boot },
      {
        dialledBy: present.dialledBy,
        attempt: present.attempt,
        peerBoot: present.hello.boot,
      },
      this.#options.self,
      present.link,
    );
  }

  #proven(connection: Connection, pending: Pending, end: ProvenHandshake): Session | undefined {
    const { runtime, crypto, log, events } = this.#options;
    const { dialled, attempt } = pending;
    const { link, hello, agreed, records } = end;
    this.#pending.delete(connection);
    if (dialled !== undefined) dialled.isDialling = false;
    const peer = this.#peer(link);
    const rekeyAfter = this.limits.rekeyAfterRecords;
    const session = new Session({
      link,
      hello,
      agreed,
      stream: connection.stream,
      dialledBy: dialled === undefined ? "peer" : "self",
      attempt: dialled === undefined ? hello.attempt : attempt,
      helloOffsetMs: pending.helloOffsetMs,
      sealer: records && new RecordSealer(crypto, records.seal, rekeyAfter),
      opener: records && new RecordOpener(crypto, records.open, rekeyAfter),
      runtime,
      limits: this.limits,
      log,
      counters: this.counters,
      received: (one, bytes) => events.received(one, bytes),
      closed: (one, reason) => this.#closed(peer, one, reason),
    });
    if (peer.isHeld) {
      session.close("held down");
      return undefined;
    }
    const present = peer.session;
    if (present !== undefined) {
      if (!this.#replaces(present, hello, dialled, attempt)) {
        session.close("duplicate");
        return undefined;
      }
      present.close("replaced");
      if (this.#isClosed) {
        session.abort("stopped");
        return undefined;
      }
    }
    peer.wait?.cancel();
    peer.wait = undefined;
    peer.session = session;
    peer.version1?.close("replaced");
    peer.failure = undefined;
    this.counters.sessionsOpened++;
    this.#said.forget(`link ${link}`);
    this.#said.forget(`host ${hostOf(connection.stream.remoteAddress)}`);
    log.info(`Linked with ${nameOf(hello.facts)} at ${session.remoteAddress}.`, {
      link,
      encrypted: session.isEncrypted,
    });
    if (this.#secret.length > 0 && !session.isEncrypted) {
      log.warn(`The link with ${nameOf(hello.facts)} is not encrypted: one of the two cannot.`);
    }
    events.opened(session);
    session.ping();
    return session;
  }

  #closed(peer: Peer, session: Session, reason: string): void {
    const { runtime, events, log } = this.#options;
    if (peer.session !== session) return;
    peer.session = undefined;
    peer.failure = `the last session ended: ${reason}`;
    countOne(this.counters.sessionsClosed, reason.split(":")[0]!);
    if (runtime.monotonic() - session.openedAt >= this.limits.stableAfterMs) {
      peer.backoff.reset();
      peer.isFresh = true;
    }
    log.info(`The link with ${nameOf(session.peer)} is closed: ${reason}.`, { link: peer.link });
    events.closed(session, reason);
    this.#dialLater(peer);
  }

  #connectionFailed(
    connection: Connection,
    { dialled }: Pending,
    failure: ConnectionFailure,
  ): void {
    this.#pending.delete(connection);
    countFailure(this.counters, failure);
    const { remoteAddress } = connection.stream;
    const host = hostOf(remoteAddress);
    if (dialled !== undefined) {
      dialled.isDialling = false;
      this.#failed(dialled, describeFailure(failure, remoteAddress, true));
      return;
    }
    const said = describeFailure(failure, host, false);
    if (said !== undefined) this.#said.say(`host ${host}`, said.reason, said.message);
  }

  /** A dial came to nothing. */
  #failed(peer: Peer, said: FailureWords | undefined): void {
    if (said !== undefined) {
      peer.failure = said.message;
      this.#said.say(`link ${peer.link}`, said.reason, said.message);
    }
    this.#dialLater(peer);
  }
}

const HELD_DOWN: Refusal = {
  code: "HELD_DOWN",
  text: "an operator holds the link between the two nodes down; /peer/up ends that",
};
const DUPLICATE: Refusal = {
  code: "DUPLICATE",
  text: "the two nodes have a connection already",
};
