/** Sessions between nodes: how they come about, how long they stay, what ends them. */
import { expect, test } from "vitest";
import { CONTROL, pingFrame } from "../../../src/link/control-frame.ts";
import { encodeStatus, newFrame } from "../../../src/link/frame.ts";
import type { LinkSession } from "../../../src/link/link.ts";
import { codec, SECRET, startNodes, TestNode } from "./link-under-test.ts";
import { LATENCY_MS, MemoryNetwork, TestWorld } from "./memory-network.ts";

const FRAME = encodeStatus({ hello: "there" });

function sessionOf(node: TestNode, link: number): LinkSession {
  const session = node.hub.session(link);
  if (session === undefined) throw new Error(`node ${node.link} has no session with ${link}`);
  return session;
}

test("two nodes that dial each other keep one session, opened by the lower link number", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { world, network, nodes } = await startNodes([{}, {}], seed);
    network.maxPiece = 1 + world.below(60);
    await world.advance(3000);
    const [one, other] = nodes as [TestNode, TestNode];
    expect(sessionOf(one, 1).isDialled).toBe(true);
    expect(sessionOf(other, 0).isDialled).toBe(false);
    sessionOf(one, 1).send(FRAME);
    sessionOf(other, 0).send(FRAME);
    await world.advance(500);
    expect(one.frames.get(sessionOf(one, 1))).toEqual([FRAME]);
    expect(other.frames.get(sessionOf(other, 0))).toEqual([FRAME]);
    expect(network.connections.filter(({ dialler }) => !dialler.isClosed)).toHaveLength(1);
    await Promise.all(nodes.map(({ hub }) => hub.close()));
  }
});

test("when both dial at once, the session that is open first stays, so that none is lost in use", async () => {
  // Without the pause of the higher number, both dials are made at about the same time.
  const limits = { yieldMs: 0, reconnectMinMs: 20, probeTimeoutMs: 1 };
  let fromHigher = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const { world, network, nodes } = await startNodes([{ limits }, { limits }], seed);
    network.maxPiece = 1 + world.below(400);
    await world.advance(4000);
    const [one, other] = nodes as [TestNode, TestNode];
    expect(network.dials.length).toBeGreaterThanOrEqual(1);
    expect(sessionOf(one, 1).isDialled).toBe(!sessionOf(other, 0).isDialled);
    if (sessionOf(other, 0).isDialled) fromHigher++;
    await world.advance(20_000);
    for (const node of [one, other]) {
      expect(node.ends).toEqual([]);
      expect(node.openedSessions).toHaveLength(1);
      expect(node.warnings).toEqual([]);
    }
  }
  expect(fromHigher).toBeGreaterThan(20);
  expect(fromHigher).toBeLessThan(180);
});

test("a session that breaks is made anew, and its end is told before the next one opens", async () => {
  const { world, network, nodes } = await startNodes([{}, {}]);
  await world.advance(1000);
  const [one, other] = nodes as [TestNode, TestNode];
  network.connections[0]!.dialler.reset();
  network.connections[0]!.acceptor.reset();
  await world.advance(2000);
  expect(one.ends).toEqual(["1 lost"]);
  expect(other.ends).toEqual(["0 lost"]);
  expect(one.openedSessions).toHaveLength(2);
  expect(sessionOf(one, 1).isOpen).toBe(true);
  expect(one.openedSessions[0]!.isOpen).toBe(false);
});

test("waits before dialling again grow to reconnectMaxMs with jitter, and begin anew after a session that lived", async () => {
  const world = new TestWorld(5);
  const network = new MemoryNetwork(world);
  const one = new TestNode(network, 0);
  const other = new TestNode(network, 1);
  await one.run(other);
  await world.advance(120_000);
  const waits = network.dials.slice(1).map(({ at }, i) => at - network.dials[i]!.at - LATENCY_MS);
  const bounds = waits.map((_, i) => Math.min(5000, 100 * 2 ** (i + 1)));
  expect(waits.filter((wait, i) => wait > bounds[i]!)).toEqual([]);
  const late = waits.slice(6);
  expect(Math.max(...late)).toBeGreaterThan(2500);
  expect(Math.min(...late)).toBeLessThan(2500);
  expect(new Set(late).size).toBeGreaterThan(late.length / 2);
  expect(one.hub.counters.dialFailures).toBe(network.dials.length);
  expect(one.warnings).toEqual(["nobody listens on node1:8101"]);
  expect(one.hub.describe()[0]).toMatchObject({
    session: undefined,
    failure: "nobody listens on node1:8101",
  });

  await other.run();
  await world.advance(5000 + 6000);
  expect(sessionOf(one, 1).isOpen).toBe(true);
  const dials = network.dials.length;
  const lostAt = world.monotonic();
  network.connections.at(-1)!.acceptor.destroy();
  await world.advance(150);
  expect(network.dials.length).toBe(dials + 1);
  expect(network.dials.at(-1)!.at - lostAt).toBeLessThanOrEqual(100 + 2 * LATENCY_MS);
});

test("a silent peer is pinged, and a session without a byte for linkTimeoutMs closes", async () => {
  const { world, network, nodes } = await startNodes([{}, {}]);
  await world.advance(60_000);
  const [one, other] = nodes as [TestNode, TestNode];
  expect(one.ends).toEqual([]);
  const { dialler, acceptor } = network.connections[0]!;
  dialler.isStalled = true;
  acceptor.isStalled = true;
  network.unreachable.add("node0:8101").add("node1:8101");
  await world.advance(4000);
  expect(one.ends).toEqual([]);
  await world.advance(3000);
  expect(one.ends).toEqual(["1 timeout"]);
  expect(other.ends).toEqual(["0 timeout"]);
  expect(one.hub.counters.sessionsClosed).toEqual({ timeout: 1 });
});

test("a session that this node has paused does not time out", async () => {
  const { world, nodes } = await startNodes([{}, {}]);
  await world.advance(1000);
  const session = sessionOf(nodes[0]!, 1);
  session.pause();
  await world.advance(20_000);
  expect(session.isOpen).toBe(true);
  session.resume();
  await world.advance(4500);
  expect(session.isOpen).toBe(true);
});

test("a dead session makes way for the one that its peer opens instead", async () => {
  // The acceptor lost the connection, the dialler has not heard of it and cannot be reached but by the peer's own dial.
  const { world, network, nodes } = await startNodes([
    { limits: { linkTimeoutMs: 600_000 } },
    { limits: { linkTimeoutMs: 600_000 } },
  ]);
  await world.advance(1000);
  const [one, other] = nodes as [TestNode, TestNode];
  const { dialler, acceptor } = network.connections[0]!;
  acceptor.isStalled = true;
  dialler.isStalled = true;
  acceptor.destroy();
  await world.advance(3500);
  expect(one.ends).toEqual(["1 timeout"]);
  expect(sessionOf(one, 1).isOpen).toBe(true);
  expect(sessionOf(other, 0).isOpen).toBe(true);
});

test("a later dial of the same node replaces the session that it has forgotten", async () => {
  const limits = { linkTimeoutMs: 600_000 };
  const { world, network, nodes } = await startNodes([{ limits }, { limits }]);
  await world.advance(1000);
  const [one, other] = nodes as [TestNode, TestNode];
  const { dialler, acceptor } = network.connections[0]!;
  acceptor.isStalled = true;
  dialler.isStalled = true;
  dialler.destroy();
  await world.advance(1000);
  expect(other.ends).toEqual(["0 replaced"]);
  expect(other.openedSessions).toHaveLength(2);
  expect(sessionOf(one, 1).isDialled).toBe(true);
});

test("a node that was started again replaces its sessions of before", async () => {
  const limits = { linkTimeoutMs: 600_000, probeTimeoutMs: 600_000 };
  const { world, network, nodes } = await startNodes([{ limits }, { limits }]);
  await world.advance(1000);
  const [one, other] = nodes as [TestNode, TestNode];
  // The process of node 1 dies without a word, and comes again; node 0 opened the session, and would be in the right.
  const { acceptor, dialler } = network.connections[0]!;
  acceptor.isStalled = true;
  dialler.isStalled = true;
  await other.hub.close();
  const again = new TestNode(network, 1, { limits });
  await again.run(one);
  await world.advance(2000);
  expect(one.ends).toEqual(["1 replaced"]);
  expect(sessionOf(one, 1).isDialled).toBe(false);
  expect(sessionOf(again, 0).isDialled).toBe(true);
});

test("what waits beyond maxLinkQueueBytes closes the session with the reason overflow", async () => {
  const { world, network, nodes } = await startNodes([
    { limits: { maxLinkQueueBytes: 10_000, linkTimeoutMs: 60_000 } },
    {},
  ]);
  await world.advance(900);
  const [one] = nodes as [TestNode, TestNode];
  const session = sessionOf(one, 1);
  network.connections[0]!.dialler.isStalled = true;
  const large = newFrame(50_000, 0x10);
  expect(session.bufferedBytes).toBe(0);
  // The longest frame goes through an empty queue.
  session.send(large);
  expect(session.isOpen).toBe(true);
  expect(session.bufferedBytes).toBe(50_000);
  session.send(FRAME);
  expect(session.isOpen).toBe(false);
  expect(one.ends).toEqual(["1 overflow"]);
  expect(network.connections[0]!.dialler.bufferedBytes).toBe(0);
  session.send(FRAME);
  session.close("again");
  expect(one.ends).toEqual(["1 overflow"]);
});

test("the reason of close() reaches the peer", async () => {
  const { world, nodes } = await startNodes([{ secret: SECRET }, { secret: SECRET }]);
  await world.advance(1000);
  const [one, other] = nodes as [TestNode, TestNode];
  sessionOf(one, 1).send(FRAME);
  sessionOf(one, 1).close("no memory for another link");
  expect(one.ends).toEqual(["1 no memory for another link"]);
  await world.advance(10);
  expect(other.ends).toEqual(["0 peer: no memory for another link"]);
  expect(other.hub.counters.sessionsClosed).toEqual({ peer: 1 });
  expect(other.frames.get(other.openedSessions[0]!)).toEqual([FRAME]);
});

test("a frame that is too long, or of an unknown type, closes that link only, with a counter and one log line", async () => {
  const { world, nodes } = await startNodes([{}, { limits: { maxFrameBytes: 1000 } }, {}]);
  await world.advance(1000);
  const [zero, one] = nodes as [TestNode, TestNode];
  sessionOf(zero, 1).send(newFrame(1001, 0x30));
  await world.advance(10);
  expect(one.ends).toEqual(["0 rejected"]);
  expect(one.hub.counters.framesRejected).toBe(1);
  expect(one.warnings).toEqual([
    expect.stringMatching(/^Closed the link to node0:\d+: a frame has 1001 bytes, .* 1000 /),
  ]);
  expect(zero.ends).toEqual(["1 peer: rejected"]);
  await world.advance(2000);
  expect(sessionOf(one, 0).isOpen).toBe(true);
  sessionOf(zero, 1).send(newFrame(8, 0x0f));
  await world.advance(10);
  expect(one.ends).toEqual(["0 rejected", "0 rejected"]);
  expect(one.hub.counters.framesRejected).toBe(2);
  expect(one.warnings[1]).toMatch(/unknown type 15\.$/);
  expect(sessionOf(one, 2).isOpen).toBe(true);
});

test("pings tell the round trip and how far apart the clocks are", async () => {
  const { world, nodes } = await startNodes([{}, { skewMs: 90_000 }]);
  const one = nodes[0]!;
  let atOpening: unknown;
  const opened = one.opened.bind(one);
  one.opened = (session) => {
    opened(session);
    atOpening = [session.rttMs, session.clockOffsetMs];
  };
  await world.advance(500);
  const session = sessionOf(one, 1);
  // The hello gives a first estimate, which does not know how long it was on its way.
  expect(atOpening).toEqual([undefined, 90_000 - LATENCY_MS]);
  expect(session.rttMs).toBe(2 * LATENCY_MS);
  expect(session.clockOffsetMs).toBe(90_000);
  expect(sessionOf(nodes[1]!, 0).clockOffsetMs).toBe(-90_000);
  // A pong that answers no ping of this session says nothing.
  const before = session.clockOffsetMs;
  session.control(pingFrame(CONTROL.pong, { wallMs: 5, opaque: 2n ** 60n }));
  session.control(pingFrame(CONTROL.pong, { wallMs: 5, opaque: 0n }));
  expect(session.clockOffsetMs).toBe(before);
});

test("more connections than maxPendingHandshakes are closed at once", async () => {
  const { world, network, nodes } = await startNodes([{ limits: { maxPendingHandshakes: 3 } }]);
  const { hub, address } = nodes[0]!;
  const strangers = [1, 2, 3, 4, 5].map(() => network.connectTo(address));
  for (const stranger of strangers) {
    stranger.start({ received() {}, ended() {}, drained() {}, closed() {} });
  }
  await world.advance(10);
  expect(strangers.map(({ isClosed }) => isClosed)).toEqual([false, false, false, true, true]);
  expect(hub.counters.acceptsRefused).toBe(2);
  await world.advance(6000);
  expect(strangers.every(({ isClosed }) => isClosed)).toBe(true);
  expect(hub.counters.handshakeFailures).toEqual({ PEER_VERSION_1: 3 });
});

test("a handshake that does not go on is given up", async () => {
  const { world, network, nodes } = await startNodes([{}]);
  const { hub, address } = nodes[0]!;
  const stranger = network.connectTo(address);
  stranger.start({ received() {}, ended() {}, drained() {}, closed() {} });
  const entries = [{ name: "ringlet_framing", values: [Uint8Array.of(2, 0, 0, 0)] }];
  const data = codec.encodeCapabilities(entries);
  const payload = new Uint8Array(0);
  stranger.write(codec.writeDnode({ id: 0n, type: 6, flags: 0, sameDc: true, data, payload }));
  await world.advance(4900);
  expect(stranger.isClosed).toBe(false);
  await world.advance(200);
  expect(stranger.isClosed).toBe(true);
  expect(hub.counters.handshakeFailures).toEqual({ TIMEOUT: 1 });
});

test("a hub that closes ends its sessions, dials nobody and leaves no timer", async () => {
  const { world, network, nodes } = await startNodes([{}, {}, {}]);
  await world.advance(1000);
  await Promise.all(nodes.map(({ hub }) => hub.close()));
  await world.advance(10_000);
  const dials = network.dials.length;
  await world.advance(60_000);
  expect(network.dials).toHaveLength(dials);
  expect(world.armed).toBe(0);
  expect(nodes[0]!.ends.toSorted()).toEqual(["1 stopped", "2 stopped"]);
});

test("a peer that is no longer among the peers is not dialled again", async () => {
  const { world, network, nodes } = await startNodes([{}, {}]);
  await world.advance(1000);
  const [one, other] = nodes as [TestNode, TestNode];
  one.hub.setPeers([]);
  await other.hub.close();
  await world.advance(2000);
  const dials = network.dials.length;
  await world.advance(60_000);
  expect(network.dials).toHaveLength(dials);
});

test("counters tell what the links have done", async () => {
  const { world, nodes } = await startNodes([{}, {}]);
  await world.advance(900);
  const [one, other] = nodes as [TestNode, TestNode];
  const before = one.hub.counters.bytesOut;
  sessionOf(one, 1).send(FRAME);
  expect(one.hub.counters.bytesOut).toBe(before + FRAME.length);
  await world.advance(10);
  expect(one.hub.counters).toMatchObject({ dials: 1, dialFailures: 0, sessionsOpened: 1 });
  expect(other.hub.counters).toMatchObject({ accepts: 1, sessionsOpened: 1 });
  expect(other.hub.counters.bytesIn).toBe(one.hub.counters.bytesOut);
  expect(one.hub.counters.bytesIn).toBe(other.hub.counters.bytesOut);
});

test("a session tells for how long pings have not come back, and what has surely reached the peer", async () => {
  const limits = { pingIntervalMs: 1000, linkTimeoutMs: 60_000 };
  const { world, network, nodes } = await startNodes([{ limits }, { limits }]);
  await world.advance(3500);
  const session = sessionOf(nodes[0]!, 1);
  expect(session.lagMs).toBe(0);
  expect(session.reachedAt).toBeGreaterThan(world.monotonic() - 1100);
  // What comes from the peer is held up; a pause of this process alone would not count.
  network.connections[0]!.acceptor.isStalled = true;
  const before = session.reachedAt;
  await world.advance(5000);
  expect(session.lagMs).toBe(4000);
  expect(session.reachedAt).toBe(before);
  network.connections[0]!.acceptor.isStalled = false;
  await world.advance(1000);
  expect(session.lagMs).toBe(0);
  expect(session.reachedAt).toBeGreaterThan(before + 4000);
});
