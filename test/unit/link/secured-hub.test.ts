/** Sessions under a cluster secret, refusals as operators see them, and what strangers can do. */
import { expect, test } from "vitest";
import { CapabilityRegistry } from "../../../src/link/capability.ts";
import { encodeStatus } from "../../../src/link/frame.ts";
import { numbers } from "../../../src/link/ringlet-capabilities.ts";
import { codec, SECRET, startNodes, TestNode } from "./link-under-test.ts";
import type { MemoryNetwork, MemoryStream, TestWorld } from "./memory-network.ts";

const FRAME = encodeStatus({ secretive: "a text that must not be seen" });
const latin1 = (pieces: readonly Uint8Array[]) =>
  pieces.map((bytes) => new TextDecoder("latin1").decode(bytes)).join("");

function start(stream: MemoryStream): void {
  stream.start({ received() {}, ended() {}, drained() {}, closed() {} });
}

/** Two nodes of one secret with an open session. */
async function secured(): Promise<{
  world: TestWorld;
  network: MemoryNetwork;
  one: TestNode;
  other: TestNode;
  dialler: MemoryStream;
  acceptor: MemoryStream;
}> {
  const { world, network, nodes } = await startNodes([
    { secret: SECRET },
    { secret: SECRET },
    { secret: SECRET },
  ]);
  await world.advance(900);
  const connection = network.connections.find(
    ({ acceptor }) => acceptor.localAddress === "node1:8101",
  )!;
  return { world, network, one: nodes[0]!, other: nodes[1]!, ...connection };
}

test("everything behind the proofs is encrypted, cut anywhere", async () => {
  const { world, network, one, other, dialler, acceptor } = await secured();
  network.maxPiece = 7;
  const session = one.hub.session(1)!;
  expect(session.isEncrypted).toBe(true);
  expect(session.capability("ringlet_aead")).toBe("aes-256-gcm");
  for (let i = 0; i < 20; i++) {
    session.send(FRAME);
    other.hub.session(0)!.send(FRAME);
  }
  await world.advance(100);
  expect(other.frames.get(other.hub.session(0)!)).toEqual(Array(20).fill(FRAME));
  expect(one.frames.get(session)).toEqual(Array(20).fill(FRAME));
  expect(latin1(dialler.written)).not.toContain("secretive");
  expect(latin1(acceptor.written)).not.toContain("secretive");
  expect(session.rttMs).toBeDefined();
});

test("without a secret the same frames are there to be read", async () => {
  const { world, network, nodes } = await startNodes([{}, {}]);
  await world.advance(900);
  nodes[0]!.hub.session(1)!.send(FRAME);
  expect(latin1(network.connections[0]!.dialler.written)).toContain("secretive");
});

const TAMPERS: readonly [what: string, (bytes: Uint8Array, before: Uint8Array) => Uint8Array][] = [
  ["changed", (bytes) => bytes.map((byte, i) => (i === 9 ? byte ^ 4 : byte))],
  ["replayed", (bytes, before) => Uint8Array.of(...before, ...bytes)],
  ["sent twice", (bytes) => Uint8Array.of(...bytes, ...bytes)],
  ["taken out", () => new Uint8Array(0)],
  ["in the clear", () => FRAME],
];

test.each(TAMPERS)(
  "a record that is %s closes that link only, with a counter and one log line",
  async (_, tamper) => {
    const { world, one, other, dialler } = await secured();
    const before = dialler.written.at(-1)!;
    dialler.tamper = (bytes) => tamper(bytes, before);
    const good = other.frames.get(other.hub.session(0)!)!.length;
    one.hub.session(1)!.send(FRAME);
    dialler.tamper = (bytes) => bytes;
    one.hub.session(1)!.send(FRAME);
    await world.advance(5);
    expect(other.ends).toEqual(["0 undecryptable"]);
    expect(other.hub.counters.decryptFailures).toBe(1);
    expect(other.warnings).toEqual([
      expect.stringMatching(/^Closed the link to node0:\d+: a record /),
    ]);
    // At most the genuine one of a pair has come through.
    const frames = other.frames.get(other.openedSessions.find(({ link }) => link === 0)!)!;
    expect(frames.length - good).toBeLessThanOrEqual(1);
    expect(other.hub.session(2)!.isOpen).toBe(true);
    await world.advance(2000);
    expect(other.hub.session(0)!.isOpen).toBe(true);
  },
);

test("a record of the other direction is not taken for one of this", async () => {
  const { world, one, other, dialler, acceptor } = await secured();
  other.hub.session(0)!.send(FRAME);
  const reflected = acceptor.written.at(-1)!;
  dialler.tamper = () => reflected;
  one.hub.session(1)!.send(FRAME);
  await world.advance(5);
  expect(other.ends).toEqual(["0 undecryptable"]);
});

test("a replayed connection is refused", async () => {
  const { world, network, other, dialler } = await secured();
  const stranger = network.connectTo(other.address);
  start(stranger);
  for (const bytes of dialler.written) stranger.write(bytes);
  await world.advance(20);
  expect(other.hub.counters.refusals).toEqual({ SECRET_MISMATCH: 1 });
  expect(other.ends).toEqual([]);
  expect(other.hub.session(0)!.isOpen).toBe(true);
});

test("refusals are counted at every retry, and said once on both sides until the reason changes", async () => {
  const { world, network, nodes } = await startNodes([
    { secret: SECRET },
    { secret: "another one, as long as that" },
  ]);
  await world.advance(60_000);
  const [one, other] = nodes as [TestNode, TestNode];
  const reason = /SECRET_MISMATCH\): the cluster secrets of the two nodes differ/;
  for (const node of [one, other]) {
    // Once as who dials, once as who is dialled.
    expect(node.warnings).toHaveLength(2);
    for (const line of node.warnings) expect(line).toMatch(reason);
    expect(node.openedSessions).toEqual([]);
    expect(node.hub.counters.refusals.SECRET_MISMATCH).toBeGreaterThan(5);
    expect(node.hub.counters.refusalsByPeers.SECRET_MISMATCH).toBeGreaterThan(5);
  }
  expect(one.hub.describe()[0]!.failure).toMatch(reason);

  await other.hub.close();
  const clear = new TestNode(network, 1);
  await clear.run(one);
  await world.advance(30_000);
  expect(
    one.warnings.slice(2).filter((line) => line.includes("SECRET_MISSING")).length,
  ).toBeGreaterThan(0);
  const lines = one.warnings.length;
  await world.advance(30_000);
  expect(one.warnings).toHaveLength(lines);
});

test("a node of another cluster, and one that answers at another's address, are refused on both sides", async () => {
  const { world, nodes } = await startNodes([{ cluster: "blue" }, { cluster: "green" }]);
  await world.advance(5000);
  for (const node of nodes) {
    expect(node.warnings[0]).toMatch(
      /NOT_ADMITTED\): one node is of the cluster (blue|green), the other of /,
    );
    expect(
      node.hub.counters.refusals.NOT_ADMITTED! + node.hub.counters.refusalsByPeers.NOT_ADMITTED!,
    ).toBeGreaterThan(2);
  }

  const swapped = await startNodes([{}, {}, {}]);
  const [zero, one, two] = swapped.nodes as [TestNode, TestNode, TestNode];
  await swapped.world.advance(1000);
  zero.hub.setPeers([{ link: 1, address: two.address }]);
  zero.hub.session(1)!.close("to dial again");
  one.hub.setPeers([]);
  await swapped.world.advance(5000);
  expect(zero.hub.counters.refusals.WRONG_PEER).toBeGreaterThan(0);
  expect(two.hub.counters.refusalsByPeers.WRONG_PEER).toBeGreaterThan(0);
  expect(zero.warnings).toEqual([
    expect.stringMatching(/\(WRONG_PEER\): the node at this address is dc\/rack2\/2/),
  ]);
});

test("a node that says it is this very one is refused", async () => {
  const { world, network, nodes } = await startNodes([{}]);
  const twin = new TestNode(network, 0);
  twin.hub.setPeers([{ link: 1, address: nodes[0]!.address }]);
  twin.hub.start();
  await world.advance(1000);
  expect(nodes[0]!.hub.counters.sessionsOpened + twin.hub.counters.sessionsOpened).toBe(0);
  expect({ ...nodes[0]!.hub.counters.refusals, ...twin.hub.counters.refusals }).toMatchObject({
    SELF: expect.any(Number),
  });
});

test("a peer that never advertises is a version 1 peer, said once", async () => {
  const { world, network, nodes } = await startNodes([{}]);
  const one = nodes[0]!;
  const silent = network.transport("old");
  await silent.listen({ host: "node1", port: 8101 }, (stream) => start(stream as MemoryStream));
  one.hub.setPeers([{ link: 1, address: { host: "node1", port: 8101 } }]);
  await world.advance(60_000);
  expect(one.hub.counters.handshakeFailures.PEER_VERSION_1).toBeGreaterThan(5);
  expect(one.warnings).toEqual([expect.stringContaining("(PEER_VERSION_1)")]);
  expect(one.hub.counters.dials).toBe(one.hub.counters.handshakeFailures.PEER_VERSION_1!);
});

test("a Redis client at the peers' port is closed, and does not hurt anybody", async () => {
  const { network, world, one, other } = await secured();
  const stranger = network.connectTo(other.address);
  start(stranger);
  stranger.write(new TextEncoder().encode("*1\r\n$4\r\nPING\r\n"));
  await world.advance(5);
  expect(stranger.isClosed).toBe(true);
  expect(other.hub.counters.handshakeFailures).toEqual({ BROKEN: 1 });
  expect(other.warnings).toEqual([
    "Closed the connection with stranger: it sent something that is no frame between nodes.",
  ]);
  expect(one.hub.session(1)!.isOpen).toBe(true);
});

test("two builds with different capabilities talk, and each link has its own result", async () => {
  const plain = new CapabilityRegistry([numbers("ringlet_framing", [1, 2])]);
  const { world, nodes } = await startNodes([
    { secret: SECRET },
    { secret: SECRET, capabilities: plain },
    { secret: SECRET },
  ]);
  await world.advance(1000);
  const [zero, one, two] = nodes as [TestNode, TestNode, TestNode];
  expect(zero.hub.session(1)!.capability("ringlet_aead")).toBe("none");
  expect(zero.hub.session(1)!.isEncrypted).toBe(false);
  expect(zero.hub.session(2)!.capability("ringlet_aead")).toBe("aes-256-gcm");
  expect(zero.hub.session(2)!.isEncrypted).toBe(true);
  expect(zero.hub.session(1)!.capability("ringlet_value_stamps")).toBe(false);
  expect(zero.hub.session(2)!.capability("ringlet_value_stamps")).toBe(true);
  expect(zero.warnings).toEqual([expect.stringContaining("dc/rack1/1 is not encrypted")]);
  for (const [from, to] of [
    [zero, one],
    [one, zero],
    [zero, two],
    [one, two],
  ] as const) {
    from.hub.session(to.link)!.send(FRAME);
    await world.advance(5);
    expect(to.frames.get(to.hub.session(from.link)!)).toContainEqual(FRAME);
  }
});

test("a connection that breaks after any number of bytes never leaves a session on one side", async () => {
  // What each side sends until the session is open.
  const whole = await secured();
  const lengths = [whole.dialler, whole.acceptor].map(({ written }) =>
    written.slice(0, 2).reduce((sum, { length }) => sum + length, 0),
  );
  expect(codec.parseDnode(whole.dialler.written[0]!).status).toBe("complete");
  for (const side of ["dialler", "acceptor"] as const) {
    for (let bytes = 0; bytes <= lengths[side === "dialler" ? 0 : 1]!; bytes += 5) {
      const { world, network, nodes } = await startNodes(
        [{ secret: SECRET }, { secret: SECRET }],
        bytes + 1,
      );
      while (network.connections.length === 0) await world.advance(1);
      const end = network.connections[0]![side];
      const breakIt = () => {
        end.reset();
        end.peer.reset();
      };
      let left = bytes;
      end.tamper = (chunk) => {
        const part = chunk.subarray(0, left);
        left -= part.length;
        if (left === 0) world.after(2, breakIt);
        return part;
      };
      for (const early of end.written.splice(0)) left -= early.length;
      if (left <= 0) breakIt();
      await world.advance(10_000);
      const sessions = nodes.map((node, i) => node.hub.session(1 - i));
      expect(sessions.map((session) => session?.isOpen)).toEqual([true, true]);
      sessions[0]!.send(FRAME);
      sessions[1]!.send(FRAME);
      await world.advance(5);
      for (const [i, node] of nodes.entries()) {
        expect(node.frames.get(sessions[i]!)).toContainEqual(FRAME);
        // Every session that opened has ended, but for the last.
        expect(node.ends).toHaveLength(node.openedSessions.length - 1);
      }
      await Promise.all(nodes.map(({ hub }) => hub.close()));
    }
  }
});
