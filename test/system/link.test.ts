/** Links over TCP on this machine: the streams of node:net, its cryptography, and what other programs do to them. */
import { spawn } from "node:child_process";
import { createServer, connect as dialPlain, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { SILENT } from "../../src/base/logger.ts";
import type { LinkCrypto } from "../../src/link/crypto.ts";
import { FRAME_FIRST_OF, frameHead, newFrame } from "../../src/link/frame.ts";
import { FrameSplitter } from "../../src/link/frame-splitter.ts";
import { LinkHub } from "../../src/link/hub.ts";
import type { LinkLimits } from "../../src/link/limits.ts";
import type { HelloFacts, LinkEvents, LinkSession } from "../../src/link/link.ts";
import { LinkRequests } from "../../src/link/requests.ts";
import { loadCodec } from "../../src/runtime/node/codec.ts";
import { nodeLinkCrypto } from "../../src/runtime/node/link-crypto.ts";
import { nodeRuntime } from "../../src/runtime/node/node-runtime.ts";
import { tcpTransport } from "../../src/runtime/node/tcp-transport.ts";
import type { ByteStream, StreamHandler } from "../../src/transport/stream.ts";
import type { PeerAddress } from "../../src/transport/transport.ts";

const HOST = "127.0.0.1";
const SECRET = "a secret of this test alone";
const PATIENCE_MS = 30_000;

interface Options {
  readonly secret?: string;
  readonly limits?: Partial<LinkLimits>;
  readonly crypto?: LinkCrypto;
  readonly requireEncryption?: boolean;
}

/** A node that is nothing but links. */
class Linked implements LinkEvents {
  readonly hub: LinkHub;
  readonly requests = new LinkRequests(nodeRuntime);
  readonly warnings: string[] = [];
  readonly ends: string[] = [];
  /** Frames of the kernel's types that came: their lengths, and whether each was filled as full() fills them. */
  readonly frames: { readonly length: number; readonly isWhole: boolean }[] = [];
  address: PeerAddress = { host: HOST, port: 0 };
  readonly #link: number;
  readonly #splitters = new Map<LinkSession, FrameSplitter>();

  constructor(link: number, options: Options = {}) {
    const {
      secret = "",
      limits = {},
      crypto = nodeLinkCrypto,
      requireEncryption = false,
    } = options;
    this.#link = link;
    const warn = (message: string) => {
      this.warnings.push(message);
    };
    this.hub = new LinkHub({
      runtime: nodeRuntime,
      transport: tcpTransport(),
      codec: loadCodec(),
      crypto,
      log: { ...SILENT, warn },
      events: this,
      self: link,
      peers: [],
      secret,
      requireEncryption,
      limits: { reconnectMaxMs: 200, ...limits },
    });
    onTestFinished(() => this.hub.close());
  }

  async listen(): Promise<this> {
    const { host, port } = await this.hub.listen(this.address);
    this.address = { host, port };
    return this;
  }

  dial(link: number, address: PeerAddress): void {
    this.hub.setPeers([{ link, address }]);
    this.hub.start();
  }

  session(link: number): LinkSession {
    const session = this.hub.session(link);
    if (session === undefined) throw new Error(`no session with ${link}`);
    return session;
  }

  facts(): HelloFacts {
    return {
      cluster: "test",
      datacenter: "dc",
      rack: "rack",
      tokens: [String(this.#link)],
      epoch: "e",
      now: nodeRuntime.now(),
      state: {},
    };
  }
  admit({ tokens }: HelloFacts): { link: number } {
    return { link: Number(tokens[0]) };
  }
  opened(session: LinkSession): void {
    this.#splitters.set(session, new FrameSplitter(this.hub.limits.maxFrameBytes));
  }
  received(session: LinkSession, bytes: Uint8Array): void {
    this.#splitters.get(session)!.push(bytes, (frame) => {
      const { type } = frameHead(frame);
      if (type < FRAME_FIRST_OF.kernel) session.control(frame);
      else if (type >= FRAME_FIRST_OF.host) this.requests.handle(session, frame.slice());
      else this.frames.push({ length: frame.length, isWhole: isFull(frame) });
      return session.isOpen;
    });
  }
  closed(session: LinkSession, reason: string): void {
    this.ends.push(reason);
    this.requests.closed(session);
  }
}

/** Two nodes; each knows the other's address. */
async function linked(one: Options = {}, other: Options = {}): Promise<[Linked, Linked]> {
  const nodes: [Linked, Linked] = [
    await new Linked(0, one).listen(),
    await new Linked(1, other).listen(),
  ];
  nodes[0].dial(1, nodes[1].address);
  nodes[1].dial(0, nodes[0].address);
  return nodes;
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A frame of the kernel's, filled so that every byte has its place. */
function full(length: number): Uint8Array {
  const frame = newFrame(length, 0x10);
  for (let at = 8; at < length; at++) frame[at] = pattern(at);
  return frame;
}
function isFull(frame: Uint8Array): boolean {
  for (let at = 8; at < frame.length; at++) if (frame[at] !== pattern(at)) return false;
  return true;
}
function pattern(at: number): number {
  return (at * 7 + (at >> 9)) & 0xff;
}

/** A program that listens on a port of its own; closed with the test. */
async function plainServer(
  accept: (socket: Socket) => void,
): Promise<{ server: Server; address: PeerAddress }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, address: { host: HOST, port: address.port } };
}

test.each([
  ["in the clear", ""],
  ["encrypted", SECRET],
])("frames of all sizes arrive whole and in order, %s", async (_, secret) => {
  const [one, other] = await linked({ secret }, { secret });
  await until(
    "sessions",
    () => one.hub.session(1) !== undefined && other.hub.session(0) !== undefined,
  );
  await until("the lower link number dials", () => one.session(1).isDialled);
  expect(one.session(1).isEncrypted).toBe(secret !== "");
  const lengths = [8, 9, 100, 70_000, 300_000, 12, 6_000_000, 40];
  for (const length of lengths) {
    one.session(1).send(full(length));
    other.session(0).send(full(length));
  }
  for (const node of [one, other]) {
    await until("all frames", () => node.frames.length >= lengths.length);
    expect(node.frames).toEqual(lengths.map((length) => ({ length, isWhole: true })));
    expect(node.warnings).toEqual([]);
  }
  await until("a round trip", () => one.session(1).rttMs !== undefined);
  expect(Math.abs(one.session(1).clockOffsetMs)).toBeLessThan(PATIENCE_MS);
});

test("requests are answered over TCP", async () => {
  const [one, other] = await linked({ secret: SECRET }, { secret: SECRET });
  other.requests.onRequest(1, async ({ body }) => body.slice().reverse());
  await until(
    "sessions",
    () => one.hub.session(1) !== undefined && other.hub.session(0) !== undefined,
  );
  const bodies = Array.from({ length: 50 }, (_, i) => Uint8Array.of(i, 1, 2));
  const answers = await Promise.all(
    bodies.map((body) => one.requests.request(one.session(1), 1, body, PATIENCE_MS)),
  );
  expect(answers).toEqual(bodies.map((body) => body.slice().reverse()));
});

test("a peer that does not read is dropped with the reason overflow, and linked again", async () => {
  const limits = { maxLinkQueueBytes: 1_000_000, linkTimeoutMs: 60_000 };
  const [one, other] = await linked({ limits }, { limits });
  await until(
    "sessions",
    () => one.hub.session(1) !== undefined && other.hub.session(0) !== undefined,
  );
  const session = one.session(1);
  other.session(0).pause();
  const frame = full(500_000);
  for (let i = 0; i < 200 && session.isOpen; i++) {
    session.send(frame);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(one.ends).toEqual(["overflow"]);
  await until("another session", () => one.hub.session(1) !== undefined);
});

test("pausing holds frames back, and none is lost", async () => {
  const [one, other] = await linked();
  await until(
    "sessions",
    () => one.hub.session(1) !== undefined && other.hub.session(0) !== undefined,
  );
  const session = other.session(0);
  session.pause();
  for (let i = 0; i < 40; i++) one.session(1).send(full(1_000_000));
  await until("bytes that wait", () => one.session(1).bufferedBytes > 5_000_000);
  expect(other.frames.length).toBeLessThan(40);
  session.resume();
  await until("all frames", () => other.frames.length === 40);
  expect(other.frames.every(({ isWhole }) => isWhole)).toBe(true);
});

test("another secret, and none, are refused with the reason on both sides", async () => {
  for (const [secret, code] of [
    ["quite another secret", "SECRET_MISMATCH"],
    ["", "SECRET_MISSING"],
  ] as const) {
    const [one, other] = await linked({ secret: SECRET }, { secret });
    const reason = expect.stringContaining(`(${code}): `);
    await until("words on both sides", () => one.warnings.length > 1 && other.warnings.length > 1);
    expect(one.warnings).toEqual([reason, reason]);
    expect(other.warnings).toEqual([reason, reason]);
    expect(one.hub.sessions()).toEqual([]);
  }
});

test("a peer that cannot encrypt is refused where that is required, with the reason on both sides", async () => {
  const strict = { secret: SECRET, requireEncryption: true };
  const bare = { secret: SECRET, crypto: { hmacSha256: nodeLinkCrypto.hmacSha256 } };
  for (const options of [
    [strict, bare],
    [bare, strict],
  ] as const) {
    const nodes = await linked(...options);
    const reason = /\(NOT_ENCRYPTED\): the (dialler|acceptor) .* requires encryption/;
    await until("words on both sides", () => nodes.every(({ warnings }) => warnings.length > 1));
    for (const { warnings, hub } of nodes) {
      for (const warning of warnings) expect(warning).toMatch(reason);
      expect(hub.sessions()).toEqual([]);
      expect(hub.describe()[0]!.failure).toMatch(reason);
    }
  }
});

test("a byte that is changed on the way closes the link, and the next one is whole again", async () => {
  const one = new Linked(0, { secret: SECRET });
  const other = await new Linked(1, { secret: SECRET }).listen();
  let flip = false;
  const proxy = await plainServer((socket) => {
    const out = dialPlain(other.address.port, HOST);
    out.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      if (flip) bytes[bytes.length >> 1]! ^= 1;
      flip = false;
      out.write(bytes);
    });
    out.on("data", (bytes) => socket.write(bytes));
    socket.on("close", () => out.destroy());
    out.on("close", () => socket.destroy());
  });
  one.dial(1, proxy.address);
  await until(
    "sessions",
    () => one.hub.session(1) !== undefined && other.hub.session(0) !== undefined,
  );
  one.session(1).send(full(1000));
  await until("a frame", () => other.frames.length === 1);
  flip = true;
  one.session(1).send(full(1000));
  await until("the end", () => other.ends.length > 0);
  expect(other.ends).toEqual(["undecryptable"]);
  expect(other.hub.counters.decryptFailures).toBe(1);
  expect(other.warnings).toHaveLength(1);
  await until(
    "sessions again",
    () => one.hub.session(1) !== undefined && other.hub.session(0) !== undefined,
  );
  one.session(1).send(full(2000));
  await until("a frame", () => other.frames.length === 2);
  expect(other.frames).toEqual([1000, 2000].map((length) => ({ length, isWhole: true })));
});

test("bytes that come one by one make the same link", async () => {
  const one = new Linked(0, { secret: SECRET });
  const other = await new Linked(1, { secret: SECRET }).listen();
  const proxy = await plainServer((socket) => {
    const out = dialPlain({ port: other.address.port, host: HOST, noDelay: true });
    const slowly = (from: Socket, to: Socket) => {
      let last = Promise.resolve();
      from.on("data", (bytes: Buffer) => {
        for (const byte of bytes) {
          last = last.then(async () => {
            to.write(Uint8Array.of(byte));
            await new Promise((resolve) => setImmediate(resolve));
          });
        }
      });
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    };
    socket.setNoDelay(true);
    slowly(socket, out);
    slowly(out, socket);
  });
  one.dial(1, proxy.address);
  await until(
    "sessions",
    () => one.hub.session(1) !== undefined && other.hub.session(0) !== undefined,
  );
  one.session(1).send(full(200));
  await until("a frame", () => other.frames.length === 1);
  expect(other.frames[0]).toEqual({ length: 200, isWhole: true });
});

test("a program that is no node, and one that says nothing, are left alone", async () => {
  const limits = { advertisementTimeoutMs: 100 };
  const redis = await plainServer((socket) =>
    socket.on("data", () => socket.write("-ERR unknown\r\n")),
  );
  const one = new Linked(0, { limits });
  one.dial(1, redis.address);
  await until("words", () => one.warnings.length > 0);
  expect(one.warnings[0]).toMatch(/it sent something that is no frame between nodes/);

  const silent = await plainServer((socket) => socket.resume());
  const two = new Linked(0, { limits });
  two.dial(1, silent.address);
  await until("retries", () => (two.hub.counters.handshakeFailures.PEER_VERSION_1 ?? 0) > 2);
  expect(two.warnings).toEqual([expect.stringContaining("(PEER_VERSION_1)")]);

  const listening = await new Linked(1, { limits }).listen();
  const stranger = dialPlain(listening.address.port, HOST);
  stranger.on("error", () => {});
  const closed = new Promise((resolve) => stranger.on("close", resolve));
  stranger.write("GET / HTTP/1.1\r\n\r\n");
  await closed;
  expect(listening.hub.counters.handshakeFailures).toEqual({ BROKEN: 1 });
});

test("a dial says what went wrong by its code", async () => {
  const { server, address } = await plainServer(() => {});
  await new Promise((resolve) => server.close(resolve));
  const transport = tcpTransport();
  await expect(transport.dial(address, 5000)).rejects.toMatchObject({
    code: "DIAL_REFUSED",
    message: `nobody listens on ${HOST}:${address.port}`,
  });
  await expect(
    transport.dial({ host: "no-such-host.invalid", port: 1 }, 20_000),
  ).rejects.toMatchObject({
    code: expect.stringMatching(/^DIAL_(FAILED|TIMEOUT)$/),
  });
});

test("a dial that is not answered in time fails", async () => {
  // A process that listens and accepts nothing: when its backlog is full, the next connection waits.
  const program = `
    const server = require("node:net").createServer();
    server.listen({ port: 0, host: "${HOST}", backlog: 1 }, () => {
      require("node:fs").writeSync(1, server.address().port + "\\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const deaf = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    deaf.kill("SIGKILL");
  });
  const port = await new Promise<number>((resolve) => {
    deaf.stdout.once("data", (text: Buffer) => resolve(Number(text.toString())));
  });
  const transport = tcpTransport();
  const dials = Array.from({ length: 8 }, () => transport.dial({ host: HOST, port }, 500));
  const ends = await Promise.allSettled(dials);
  for (const end of ends) if (end.status === "fulfilled") end.value.destroy();
  const codes = ends.flatMap((end) => (end.status === "rejected" ? [end.reason.code] : []));
  expect(new Set(codes)).toEqual(new Set(["DIAL_TIMEOUT"]));
});

test("a peer address that is taken is refused by its code", async () => {
  const one = await new Linked(0).listen();
  await expect(new Linked(1).hub.listen(one.address)).rejects.toMatchObject({
    code: "LISTEN_IN_USE",
  });
});

test("dialled and accepted streams tell their ends alike", async () => {
  const transport = tcpTransport();
  const streams: { stream: ByteStream; heard: string[] }[] = [];
  const hear = (stream: ByteStream): string[] => {
    const heard: string[] = [];
    const handler: StreamHandler = {
      received: (bytes) => heard.push(new TextDecoder().decode(bytes)),
      ended: () => heard.push("ended"),
      drained: () => {},
      closed: (error) => heard.push(error === undefined ? "closed" : "broken"),
    };
    stream.start(handler);
    streams.push({ stream, heard });
    return heard;
  };
  const accepted: { stream: ByteStream; heard: string[] }[] = [];
  const listener = await transport.listen({ host: HOST, port: 0 }, (stream) =>
    accepted.push({ stream, heard: hear(stream) }),
  );
  onTestFinished(() => listener.close());

  const dialled = await transport.dial(listener, 5000);
  const heard = hear(dialled);
  await until("accepted", () => accepted.length === 1);
  expect(dialled.remoteAddress).toBe(accepted[0]!.stream.localAddress);
  expect(dialled.localAddress).toBe(accepted[0]!.stream.remoteAddress);
  dialled.write(new TextEncoder().encode("there"));
  await until("there", () => accepted[0]!.heard.length === 1);
  accepted[0]!.stream.write(new TextEncoder().encode("and back"));
  accepted[0]!.stream.end();
  await until("the end", () => heard.includes("ended"));
  // A stream that has come to its end can still be written to, until it is ended too.
  dialled.write(new TextEncoder().encode(" again"));
  dialled.end();
  await until("closed", () => heard.includes("closed") && accepted[0]!.heard.includes("closed"));
  expect(heard).toEqual(["and back", "ended", "closed"]);
  expect(accepted[0]!.heard).toEqual(["there", " again", "ended", "closed"]);
  dialled.write(new TextEncoder().encode("nobody hears this"));
});
