/** How two nodes become sure of each other, and what makes them refuse. */
import { expect, test } from "vitest";
import { DNODE_TYPE } from "../../../src/codec/dnode.ts";
import { CapabilityRegistry } from "../../../src/link/capability.ts";
import { bodyFrame, CONTROL, frameBody, textFrame } from "../../../src/link/control-frame.ts";
import { frameHead, newFrame } from "../../../src/link/frame.ts";
import { FrameSplitter } from "../../../src/link/frame-splitter.ts";
import {
  Handshake,
  type HandshakeEnd,
  type HandshakeOptions,
  type Refusal,
} from "../../../src/link/handshake.ts";
import { decodeHello, encodeHello, type Hello, type LinkRole } from "../../../src/link/hello.ts";
import { LINK_LIMITS } from "../../../src/link/limits.ts";
import { MAX_ADVERTISEMENT_BYTES, markerFrame, OpeningReader } from "../../../src/link/opening.ts";
import {
  ANTI_ENTROPY,
  aead,
  COMPRESSION,
  FRAMING,
  names,
  numbers,
  ringletCapabilities,
  VALUE_STAMPS,
} from "../../../src/link/ringlet-capabilities.ts";
import { nodeLinkCrypto } from "../../../src/runtime/node/link-crypto.ts";
import { codec, SECRET } from "./link-under-test.ts";

const SECRET_BYTES = new TextEncoder().encode(SECRET);
const NO_SECRET = new Uint8Array(0);

function helloOf(who: LinkRole, secured: boolean, nonceByte: number): Hello {
  return {
    who,
    nonce: new Uint8Array(32).fill(nonceByte),
    secured,
    boot: { startedAt: 1000, id: "0123456789abcdef" },
    attempt: who === "dialler" ? 1 : 0,
    facts: {
      cluster: "test",
      datacenter: "dc",
      rack: who,
      tokens: ["1"],
      epoch: "e",
      now: 5,
      state: { fenced: false },
    },
  };
}

interface Side {
  readonly secret?: Uint8Array;
  readonly registry?: CapabilityRegistry;
  readonly nonceByte?: number;
  readonly admit?: HandshakeOptions["admit"];
  readonly crypto?: HandshakeOptions["crypto"];
  readonly requireEncryption?: boolean;
}

function side(role: LinkRole, options: Side = {}): Handshake {
  const { secret = SECRET_BYTES, crypto = nodeLinkCrypto } = options;
  const canEncrypt = secret.length > 0 && crypto.aes256Gcm !== undefined;
  return new Handshake({
    role,
    codec,
    crypto,
    registry: options.registry ?? new CapabilityRegistry(ringletCapabilities(canEncrypt)),
    secret,
    requireEncryption: options.requireEncryption ?? false,
    limits: LINK_LIMITS,
    hello: () =>
      helloOf(role, secret.length > 0, options.nonceByte ?? (role === "dialler" ? 1 : 2)),
    admit: options.admit ?? (() => ({ link: 7 })),
  });
}

interface Outcome {
  readonly dialler: HandshakeEnd | undefined;
  readonly acceptor: HandshakeEnd | undefined;
  /** All that each side sent. */
  readonly sent: Record<LinkRole, Uint8Array>;
}

type Pass = (from: LinkRole, bytes: Uint8Array) => Uint8Array[];

/** Lets two sides talk; `pass` says in which pieces bytes arrive, and may change them. */
function talk(
  dialler: Handshake,
  acceptor: Handshake,
  pass: Pass = (_, bytes) => [bytes],
): Outcome {
  const sides = { dialler, acceptor };
  const ends: Partial<Record<LinkRole, HandshakeEnd>> = {};
  const sent: Record<LinkRole, number[]> = { dialler: [], acceptor: [] };
  const queue: [from: LinkRole, bytes: Uint8Array][] = [];
  const send = (from: LinkRole, bytes: Uint8Array | undefined) => {
    if (bytes === undefined) return;
    sent[from].push(...bytes);
    for (const piece of pass(from, bytes)) queue.push([from, piece]);
  };
  send("dialler", dialler.start());
  send("acceptor", acceptor.start());
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const to: LinkRole = next[0] === "dialler" ? "acceptor" : "dialler";
    if (ends[to] !== undefined) continue;
    const copy = next[1].slice();
    const { send: answer, end } = sides[to].received(copy);
    copy.fill(0xee);
    send(to, answer);
    if (end !== undefined) ends[to] = end;
  }
  return {
    dialler: ends.dialler,
    acceptor: ends.acceptor,
    sent: {
      dialler: Uint8Array.from(sent.dialler),
      acceptor: Uint8Array.from(sent.acceptor),
    },
  };
}

type Proven = Extract<HandshakeEnd, { kind: "proven" }>;

function proven(end: HandshakeEnd | undefined): Proven {
  if (end?.kind !== "proven") throw new Error(`not proven: ${JSON.stringify(end)}`);
  return end;
}

function refusals({ dialler, acceptor }: Outcome): [kind: string, code: string, text: string][] {
  return [dialler, acceptor].map((end) => {
    if (end?.kind !== "refusing" && end?.kind !== "refused") {
      throw new Error(`no refusal: ${JSON.stringify(end)}`);
    }
    return [end.kind, end.refusal.code, end.refusal.text];
  });
}

/** The version 2 frames in what a side sent. */
function framesOf(sent: Uint8Array): Uint8Array[] {
  const marker = new OpeningReader(codec, 4096).push(sent).find(({ kind }) => kind === "marker");
  if (marker?.kind !== "marker") throw new Error("no marker");
  const frames: Uint8Array[] = [];
  new FrameSplitter(1 << 20).push(marker.rest, (frame) => frames.push(frame.slice()) > 0);
  return frames;
}

test("both sides prove the secret and hold the keys of each other's records", () => {
  const outcome = talk(side("dialler"), side("acceptor"));
  const dialler = proven(outcome.dialler);
  const acceptor = proven(outcome.acceptor);
  expect(dialler.link).toBe(7);
  expect(dialler.hello.facts.rack).toBe("acceptor");
  expect(acceptor.hello).toEqual(helloOf("dialler", true, 1));
  expect(dialler.records!.seal).toEqual(acceptor.records!.open);
  expect(dialler.records!.open).toEqual(acceptor.records!.seal);
  expect(dialler.records!.seal).not.toEqual(dialler.records!.open);
  expect(dialler.agreed.get(FRAMING)).toBe(2);
});

test("keys are others for every nonce and every secret", () => {
  const keys = [
    {},
    { nonceByte: 9 },
    { secret: new TextEncoder().encode("another secret, as long") },
  ].map((options) => {
    const acceptor = side("acceptor", { ...options, nonceByte: 2 });
    return proven(talk(side("dialler", options), acceptor).dialler).records!.seal.join();
  });
  expect(new Set(keys).size).toBe(3);
});

test("without a secret nothing is encrypted, and aes-256-gcm is not advertised", () => {
  const none = { secret: NO_SECRET };
  const outcome = talk(side("dialler", none), side("acceptor", none));
  expect(proven(outcome.dialler).records).toBeUndefined();
  expect(proven(outcome.acceptor).agreed.value("ringlet_aead")).toBe("none");
  expect(new TextDecoder("latin1").decode(outcome.sent.dialler)).not.toContain("aes");
});

test("a runtime without synchronous AES-GCM proves the secret and talks in the clear", () => {
  const bare = { hmacSha256: nodeLinkCrypto.hmacSha256 };
  const outcome = talk(side("dialler", { crypto: bare }), side("acceptor"));
  expect(proven(outcome.dialler).records).toBeUndefined();
  expect(proven(outcome.acceptor).records).toBeUndefined();
});

test("where one side requires encryption and the other cannot, it is refused, with the reason on both sides", () => {
  const bare = { crypto: { hmacSha256: nodeLinkCrypto.hmacSha256 } };
  const strict = { requireEncryption: true };
  const text = (requires: string, cannot: string) =>
    `the ${requires} of the connection requires encryption (require-encryption), and the ${cannot} cannot encrypt; run all nodes where AES-256-GCM is available, or let none require it`;
  const asAcceptor = talk(side("dialler", bare), side("acceptor", strict));
  expect(refusals(asAcceptor)).toEqual([
    ["refused", "NOT_ENCRYPTED", text("acceptor", "dialler")],
    ["refusing", "NOT_ENCRYPTED", text("acceptor", "dialler")],
  ]);
  const asDialler = talk(side("dialler", strict), side("acceptor", bare));
  expect(refusals(asDialler)).toEqual([
    ["refusing", "NOT_ENCRYPTED", text("dialler", "acceptor")],
    ["refused", "NOT_ENCRYPTED", text("dialler", "acceptor")],
  ]);
  // Nothing of the node was said to an acceptor that cannot.
  const types = framesOf(asDialler.sent.dialler).map((frame) => frameHead(frame).type);
  expect(types).toEqual([CONTROL.refuse]);
  const both = talk(side("dialler", strict), side("acceptor", strict));
  expect(proven(both.dialler).records).toBeDefined();
  expect(proven(both.acceptor).records).toBeDefined();
});

test("a handshake is the same wherever its bytes are cut", () => {
  const whole = talk(side("dialler"), side("acceptor"));
  const longest = Math.max(whole.sent.dialler.length, whole.sent.acceptor.length);
  for (let cut = 0; cut <= longest; cut++) {
    const passed = { dialler: 0, acceptor: 0 };
    const outcome = talk(side("dialler"), side("acceptor"), (from, bytes) => {
      const at = Math.min(Math.max(cut - passed[from], 0), bytes.length);
      passed[from] += bytes.length;
      return [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0);
    });
    expect(proven(outcome.dialler).records).toEqual(proven(whole.dialler).records);
    expect(outcome.sent).toEqual(whole.sent);
  }
  const bytewise = talk(side("dialler"), side("acceptor"), (_, bytes) =>
    Array.from(bytes, (byte) => Uint8Array.of(byte)),
  );
  expect(bytewise.sent).toEqual(whole.sent);
  expect(proven(bytewise.acceptor).records).toEqual(proven(whole.acceptor).records);
});

test("bytes behind the handshake are the session's, and none is lost", () => {
  const behind = Uint8Array.of(1, 2, 3);
  const outcome = talk(side("dialler"), side("acceptor"), (from, bytes) => {
    const last = framesOf2(bytes)?.at(-1);
    const isProof =
      from === "acceptor" && last !== undefined && frameHead(last).type === CONTROL.proof;
    return isProof ? [Uint8Array.of(...bytes, ...behind)] : [bytes];
  });
  expect(proven(outcome.dialler).rest).toEqual(behind);
  expect(proven(outcome.acceptor).rest).toEqual(new Uint8Array(0));
});

/** The frames in bytes that begin with one. */
function framesOf2(bytes: Uint8Array): Uint8Array[] | undefined {
  if (bytes[0] === 0x20) return undefined;
  const frames: Uint8Array[] = [];
  new FrameSplitter(1 << 20).push(bytes, (frame) => frames.push(frame.slice()) > 0);
  return frames;
}

test("the dialler's first bytes are a frame that version 1 passes over, of at most 400 bytes", () => {
  const first = side("dialler").start()!;
  expect(first.length).toBeLessThanOrEqual(MAX_ADVERTISEMENT_BYTES);
  const result = codec.parseDnode(first);
  if (result.status !== "complete") throw new Error(result.status);
  const { frame } = result;
  expect([frame.type, frame.flags, frame.payload.length]).toEqual([
    DNODE_TYPE.cryptoHandshake,
    0,
    0,
  ]);
  expect(result.end).toBe(first.length);
  const advertised = codec.decodeCapabilities(frame.data).map(({ name }) => name);
  expect(advertised).toEqual([
    "ringlet_aead",
    "ringlet_anti_entropy",
    "ringlet_compression",
    "ringlet_framing",
    "ringlet_value_stamps",
  ]);
  expect(advertised).toEqual(advertised.toSorted());
});

test("an acceptor says nothing before it has read an advertisement", () => {
  const acceptor = side("acceptor");
  expect(acceptor.start()).toBeUndefined();
  const first = side("dialler").start()!;
  for (const byte of first.subarray(0, -1)) {
    expect(acceptor.received(Uint8Array.of(byte))).toEqual({ send: undefined, end: undefined });
  }
  expect(acceptor.hasAdvertisement).toBe(false);
  expect(acceptor.received(first.subarray(-1)).send).toBeDefined();
  expect(acceptor.hasAdvertisement).toBe(true);
});

test("capabilities that take more than 400 bytes are refused when they are put together", () => {
  const many = Array.from({ length: 20 }, (_, i) => numbers(`ringlet_capability_${i}`, [1]));
  expect(() => side("dialler", { registry: new CapabilityRegistry(many) })).toThrow(
    expect.objectContaining({ code: "ADVERTISEMENT_TOO_LONG" }),
  );
});

test("builds with different capabilities agree on the best they share, or on the floor", () => {
  const future = new CapabilityRegistry([
    numbers(FRAMING.name, [1, 2, 3]),
    names("ringlet_aead", ["none", "aes-256-gcm", "ascon"], ["none", "ascon"]),
    names("ringlet_compression", ["none", "zstd"], ["none", "zstd"]),
    numbers(ANTI_ENTROPY.name, [2, 3]),
    numbers("ringlet_tomorrow", [4]),
  ]);
  for (const [mine, theirs] of [
    [undefined, future],
    [future, undefined],
  ]) {
    const outcome = talk(
      side("dialler", mine === undefined ? {} : { registry: mine }),
      side("acceptor", theirs === undefined ? {} : { registry: theirs }),
    );
    const ends = [proven(outcome.dialler), proven(outcome.acceptor)];
    const [ours, others] = mine === undefined ? ends : ends.toReversed();
    expect(ours!.agreed.get(FRAMING)).toBe(2);
    expect(others!.agreed.value("ringlet_framing")).toBe(2);
    expect(ours!.agreed.get(aead(true))).toBe("none");
    expect(others!.agreed.value("ringlet_aead")).toBe("none");
    expect(ours!.agreed.get(COMPRESSION)).toBe("none");
    // Nothing in common, and not advertised at all: each its floor.
    expect(ours!.agreed.get(ANTI_ENTROPY)).toBe(0);
    expect(others!.agreed.value("ringlet_anti_entropy")).toBe(2);
    expect(ours!.agreed.get(VALUE_STAMPS)).toBe(false);
    expect(ours!.agreed.value("ringlet_tomorrow")).toBeUndefined();
    expect(others!.agreed.value("ringlet_tomorrow")).toBe(4);
    expect(ends.map(({ records }) => records)).toEqual([undefined, undefined]);
  }
});

test("a peer that advertises framing 1 only is a version 1 peer, on both sides, and gets no marker", () => {
  const old = { registry: new CapabilityRegistry([numbers(FRAMING.name, [1])]) };
  const none = { registry: new CapabilityRegistry([VALUE_STAMPS]) };
  for (const peer of [old, none]) {
    for (const outcome of [
      talk(side("dialler", peer), side("acceptor")),
      talk(side("dialler"), side("acceptor", peer)),
    ]) {
      expect(outcome.dialler).toEqual({ kind: "version1" });
      expect(outcome.acceptor).toEqual({ kind: "version1" });
      expect(new TextDecoder("latin1").decode(outcome.sent.acceptor)).not.toContain("RINGLET2");
    }
  }
});

test("version 1 traffic in the place of an advertisement is a version 1 peer", () => {
  const text = (words: string) => new TextEncoder().encode(words);
  for (const type of [DNODE_TYPE.request, DNODE_TYPE.requestForward, DNODE_TYPE.gossipSyn]) {
    const payload = text("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
    const data = text("d");
    const frame = codec.writeDnode({ id: 3n, type, flags: 0, sameDc: true, data, payload });
    for (let cut = 0; cut < frame.length; cut++) {
      const acceptor = side("acceptor");
      acceptor.received(frame.subarray(0, cut));
      expect(acceptor.received(frame.subarray(cut)).end).toEqual({ kind: "version1" });
    }
  }
});

test("an unknown frame of type 6 is passed over", () => {
  const other = codec.writeDnode({
    id: 0n,
    type: DNODE_TYPE.cryptoHandshake,
    flags: 0,
    sameDc: true,
    data: new TextEncoder().encode("something of tomorrow"),
    payload: new Uint8Array(0),
  });
  const acceptor = side("acceptor");
  expect(acceptor.received(other)).toEqual({ send: undefined, end: undefined });
  expect(acceptor.received(side("dialler").start()!).send).toBeDefined();
});

const BROKEN: readonly [what: string, bytes: () => Uint8Array][] = [
  ["a Redis client", () => new TextEncoder().encode("*1\r\n$4\r\nPING\r\n")],
  ["an HTTP client", () => new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
  ["random bytes", () => Uint8Array.from({ length: 300 }, (_, i) => (i * 167 + 13) & 0xff)],
  ["a marker before an advertisement", () => markerFrame(codec)],
  [
    "two advertisements",
    () => Uint8Array.of(...side("dialler").start()!, ...side("dialler").start()!),
  ],
  [
    "an advertisement that ends in its middle",
    () =>
      codec.writeDnode({
        id: 0n,
        type: DNODE_TYPE.cryptoHandshake,
        flags: 0,
        sameDc: true,
        data: Uint8Array.of(0x43, 0x41, 0x50, 1, 9, 0, 0, 0),
        payload: new Uint8Array(0),
      }),
  ],
  [
    "an opening without end",
    () => new TextEncoder().encode(`   $2014$ 0 6 0 1 1 *9000 ${"x".repeat(8000)}`),
  ],
  [
    "a frame of another type than the handshake's",
    () => Uint8Array.of(...side("dialler").start()!, ...markerFrame(codec), ...newFrame(24, 0x10)),
  ],
  [
    "a proof before the hello",
    () =>
      Uint8Array.of(
        ...side("dialler").start()!,
        ...markerFrame(codec),
        ...bodyFrame(CONTROL.proof, new Uint8Array(32)),
      ),
  ],
  [
    "a hello that is too long",
    () =>
      Uint8Array.of(
        ...side("dialler").start()!,
        ...markerFrame(codec),
        ...newFrame(LINK_LIMITS.maxHelloBytes + 1, CONTROL.hello),
      ),
  ],
];

test.each(BROKEN)("%s in the place of a handshake breaks it", (_, bytes) => {
  const { end } = side("acceptor").received(bytes());
  expect(end).toMatchObject({ kind: "broken" });
});

test.each(["{", "[]", "{}", '{"who":"dialler"}', '"x"', "\u0000"])(
  "a hello of %j is refused",
  (body) => {
    const acceptor = side("acceptor");
    acceptor.received(side("dialler").start()!);
    const hello = bodyFrame(CONTROL.hello, new TextEncoder().encode(body));
    const { end } = acceptor.received(Uint8Array.of(...markerFrame(codec), ...hello));
    expect(end).toMatchObject({ kind: "refusing", refusal: { code: "BAD_HELLO" } });
  },
);

test("every field of a hello is checked", () => {
  const whole = JSON.parse(new TextDecoder().decode(encodeHello(helloOf("dialler", true, 1))));
  const decode = (wire: unknown) => decodeHello(new TextEncoder().encode(JSON.stringify(wire)));
  expect(decode(whole)).toEqual(helloOf("dialler", true, 1));
  for (const field of Object.keys(whole)) {
    for (const value of [undefined, null, 5.5, "x", [], [1], {}]) {
      if (field === "nonce" && value === whole.nonce) continue;
      expect(
        decode({ ...whole, [field]: value }),
        `${field} = ${JSON.stringify(value)}`,
      ).toBeUndefined();
    }
  }
  for (const field of Object.keys(whole.facts)) {
    for (const value of [undefined, null, true, [1]]) {
      const facts = { ...whole.facts, [field]: value };
      expect(decode({ ...whole, facts }), `${field} = ${JSON.stringify(value)}`).toBeUndefined();
    }
  }
});

test("another secret is refused, with the reason on both sides", () => {
  const other = { secret: new TextEncoder().encode("another secret, as long") };
  const outcome = talk(side("dialler", other), side("acceptor"));
  const text = "the cluster secrets of the two nodes differ; give all nodes the same one";
  expect(refusals(outcome)).toEqual([
    ["refused", "SECRET_MISMATCH", text],
    ["refusing", "SECRET_MISMATCH", text],
  ]);
  // The acceptor has proven nothing to a dialler that knows no secret.
  const types = framesOf(outcome.sent.acceptor).map((frame) => frameHead(frame).type);
  expect(types).toEqual([CONTROL.hello, CONTROL.refuse]);
});

test("a secret on one side only is refused, with the reason on both sides", () => {
  const none = { secret: NO_SECRET };
  const text = (has: string, lacks: string) =>
    `the ${has} of the connection has a cluster secret and the ${lacks} has none; give all nodes the same one`;
  expect(refusals(talk(side("dialler", none), side("acceptor")))).toEqual([
    ["refusing", "SECRET_MISSING", text("acceptor", "dialler")],
    ["refused", "SECRET_MISSING", text("acceptor", "dialler")],
  ]);
  expect(refusals(talk(side("dialler"), side("acceptor", none)))).toEqual([
    ["refusing", "SECRET_MISSING", text("dialler", "acceptor")],
    ["refused", "SECRET_MISSING", text("dialler", "acceptor")],
  ]);
});

test("who is not admitted is refused, with the reason on both sides", () => {
  const admit = (): Refusal => ({ code: "NOT_ADMITTED", text: "the cluster names differ" });
  expect(refusals(talk(side("dialler", { admit }), side("acceptor")))).toEqual([
    ["refusing", "NOT_ADMITTED", "the cluster names differ"],
    ["refused", "NOT_ADMITTED", "the cluster names differ"],
  ]);
  expect(refusals(talk(side("dialler"), side("acceptor", { admit })))).toEqual([
    ["refused", "NOT_ADMITTED", "the cluster names differ"],
    ["refusing", "NOT_ADMITTED", "the cluster names differ"],
  ]);
});

test("a peer's words are kept short and in one line, and codes that it makes up count as unknown", () => {
  const dialler = side("dialler");
  const opening = talk(side("dialler"), side("acceptor")).sent.acceptor;
  const upToMarker = opening.subarray(
    0,
    opening.length - framesOf(opening).reduce((sum, { length }) => sum + length, 0),
  );
  dialler.received(upToMarker);
  const { end } = dialler.received(
    textFrame(CONTROL.refuse, `EVIL a\n\u001b[31m${"b".repeat(5000)}`),
  );
  if (end?.kind !== "refused") throw new Error(JSON.stringify(end));
  expect(end.refusal.code).toBe("UNKNOWN");
  expect(end.refusal.text).toMatch(/^EVIL a {2}\[31mb+$/);
  expect(end.refusal.text.length).toBeLessThanOrEqual(300);
});

test("a proof is worth nothing on another connection", () => {
  const genuine = talk(side("dialler"), side("acceptor"));
  const acceptor = side("acceptor", { nonceByte: 77 });
  const { send, end } = acceptor.received(genuine.sent.dialler);
  expect(end).toMatchObject({ kind: "refusing", refusal: { code: "SECRET_MISMATCH" } });
  expect(framesOf(send!).map((frame) => frameHead(frame).type)).toEqual([
    CONTROL.hello,
    CONTROL.refuse,
  ]);
});

test("what a node says cannot be used against itself", () => {
  // A stranger without the secret sends back what it gets.
  const dialler = side("dialler");
  const echoed = dialler.received(dialler.start()!);
  expect(echoed).toEqual({ send: undefined, end: undefined });
  const acceptor = side("acceptor");
  const { send } = acceptor.received(side("dialler").start()!);
  const [hello] = framesOf(send!);
  const reflected = acceptor.received(Uint8Array.of(...markerFrame(codec), ...hello!));
  expect(reflected.end).toMatchObject({ kind: "refusing", refusal: { code: "REFLECTED" } });

  // And with the role changed in the hello, the acceptor's own proof would be needed in the dialler's place.
  const second = side("acceptor");
  second.received(side("dialler").start()!);
  const changed = { ...decodeHello(frameBody(hello!))!, who: "dialler" as const };
  const proof = framesOf(talk(side("dialler"), side("acceptor")).sent.acceptor)[1]!;
  const { end } = second.received(
    Uint8Array.of(
      ...markerFrame(codec),
      ...bodyFrame(CONTROL.hello, encodeHello(changed)),
      ...proof,
    ),
  );
  expect(end).toMatchObject({ kind: "refusing", refusal: { code: "SECRET_MISMATCH" } });
});

test("an acceptor without the secret cannot answer with the dialler's own proof", () => {
  const dialler = side("dialler");
  const opening = talk(side("dialler"), side("acceptor")).sent.acceptor;
  const hello = framesOf(opening)[0]!;
  const upToHello = opening.subarray(0, opening.length - framesOf(opening)[1]!.length);
  expect(upToHello.subarray(-hello.length)).toEqual(hello);
  const { send } = dialler.received(upToHello);
  const proof = framesOf(send!)[1]!;
  expect(frameHead(proof).type).toBe(CONTROL.proof);
  expect(dialler.received(proof).end).toMatchObject({
    kind: "refusing",
    refusal: { code: "SECRET_MISMATCH" },
  });
});

test("nothing that both sides say before the proof can be changed on the way", () => {
  const whole = talk(side("dialler"), side("acceptor"));
  const strip = (bytes: Uint8Array): Uint8Array => {
    const result = codec.parseDnode(bytes);
    if (result.status !== "complete") throw new Error(result.status);
    const entries = codec
      .decodeCapabilities(result.frame.data)
      .map((entry) =>
        entry.name === "ringlet_aead" ? { ...entry, values: [entry.values[0]!] } : entry,
      );
    const data = codec.encodeCapabilities(entries);
    return Uint8Array.of(
      ...codec.writeDnode({ ...result.frame, data }),
      ...bytes.subarray(result.end),
    );
  };
  // Somebody between them takes encryption out of an advertisement.
  let first = true;
  const outcome = talk(side("dialler"), side("acceptor"), (from, bytes) => {
    if (from !== "dialler" || !first) return [bytes];
    first = false;
    return [strip(bytes)];
  });
  expect(outcome.acceptor).toMatchObject({ refusal: { code: "SECRET_MISMATCH" } });
  expect(outcome.dialler?.kind).toBe("refused");
  // Every byte of every frame behind the openings, but for flags and aux, which mean nothing there.
  for (const from of ["dialler", "acceptor"] as const) {
    const frames = framesOf(whole.sent[from]);
    const length = whole.sent[from].length;
    const begin = length - frames.reduce((sum, frame) => sum + frame.length, 0);
    const idle = new Set<number>();
    for (let at = begin, i = 0; at < length; at += frames[i++]!.length) {
      for (const offset of [5, 6, 7]) idle.add(at + offset);
    }
    for (let at = begin; at < length; at++) {
      if (idle.has(at)) continue;
      let passed = 0;
      const changed = talk(side("dialler"), side("acceptor"), (one, bytes) => {
        if (one !== from) return [bytes];
        const copy = bytes.slice();
        const here = at - passed;
        if (here >= 0 && here < copy.length) copy[here]! ^= 1 << (at % 8);
        passed += bytes.length;
        return [copy];
      });
      const victim = from === "dialler" ? changed.acceptor : changed.dialler;
      expect(victim?.kind, `byte ${at} of the ${from}`).not.toBe("proven");
    }
  }
});
