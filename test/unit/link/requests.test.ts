/** Requests between hosts: each ends once, by a response, its deadline or the end of the link. */
import { expect, test } from "vitest";
import { RingletError } from "../../../src/base/errors.ts";
import { encodeRequest, encodeResponse, FRAME, newFrame } from "../../../src/link/frame.ts";
import type { LinkSession } from "../../../src/link/link.ts";
import { LinkRequests } from "../../../src/link/requests.ts";
import { SECRET, startNodes, type TestNode } from "./link-under-test.ts";
import { LATENCY_MS } from "./memory-network.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);
const ECHO = 1;
const FAIL = 2;
const NEVER = 3;
const LATER = 4;

/** Two nodes whose sessions carry requests. */
async function exchanging(maxRequestsPerLink?: number) {
  const { world, network, nodes } = await startNodes([{ secret: SECRET }, { secret: SECRET }]);
  const requests = nodes.map((node) => {
    const exchange = new LinkRequests(world, maxRequestsPerLink);
    const received = node.received.bind(node);
    node.received = (session, chunk) => {
      received(session, chunk);
      for (const frame of node.frames.get(session)!.splice(0)) exchange.handle(session, frame);
    };
    const closed = node.closed.bind(node);
    node.closed = (session, reason) => {
      closed(session, reason);
      exchange.closed(session);
    };
    exchange.onRequest(ECHO, ({ link, body }) => bytes(`${link} ${text(body)}`));
    exchange.onRequest(FAIL, ({ body }) => {
      throw text(body) === "typed"
        ? new RingletError("MOVED", "it is\nelsewhere")
        : new Error("a bug");
    });
    exchange.onRequest(NEVER, () => new Promise(() => {}));
    exchange.onRequest(LATER, async ({ body, deadline }) => {
      await new Promise<void>((resolve) => world.after(Number(text(body)), resolve));
      return bytes(`left ${deadline - world.monotonic()}`);
    });
    return exchange;
  });
  await world.advance(1000);
  const [one, other] = requests as [LinkRequests, LinkRequests];
  const session = nodes[0]!.hub.session(1)!;
  return { world, network, nodes: nodes as [TestNode, TestNode], one, other, session };
}

/** How a promise ended, as far as it has. */
function watch(promise: Promise<Uint8Array>): string[] {
  const ends: string[] = [];
  promise.then(
    (body) => ends.push(text(body)),
    (error: RingletError) => ends.push(`${error.code}: ${error.message}`),
  );
  return ends;
}

test("responses find their requests, in whatever order they come", async () => {
  const { world, one, other, session, nodes } = await exchanging();
  const slow = watch(one.request(session, LATER, bytes("50"), 1000));
  const quick = watch(one.request(session, ECHO, bytes("a"), 1000));
  const back = watch(other.request(nodes[1].hub.session(0), ECHO, bytes("b"), 1000));
  await world.advance(10);
  expect([quick, slow, back]).toEqual([["0 a"], [], ["1 b"]]);
  await world.advance(100);
  // The deadline is counted from when the request came.
  expect(slow).toEqual([`left ${1000 - 50}`]);
  expect(one.waiting).toBe(0);
});

test("errors of a handler reach the asker with their code", async () => {
  const { world, one, session } = await exchanging();
  const typed = watch(one.request(session, FAIL, bytes("typed"), 1000));
  const untyped = watch(one.request(session, FAIL, bytes("untyped"), 1000));
  const unknown = watch(one.request(session, 99, bytes(""), 1000));
  await world.advance(10);
  expect(typed).toEqual(["MOVED: it is\nelsewhere"]);
  expect(untyped).toEqual(["INTERNAL: a bug"]);
  expect(unknown).toEqual(["UNKNOWN_KIND: this node answers no requests of the kind 99"]);
});

test("a request without a response ends at its deadline, and a late response is passed over", async () => {
  const { world, one, session } = await exchanging();
  const never = watch(one.request(session, NEVER, bytes(""), 500));
  const late = watch(one.request(session, LATER, bytes("600"), 500));
  await world.advance(499);
  expect([never, late]).toEqual([[], []]);
  await world.advance(2);
  expect(never).toEqual([
    "DEADLINE: the node did not answer within 500 ms; whether it has done what was asked is unknown",
  ]);
  await world.advance(500);
  expect(late).toEqual(never);
  expect(one.waiting).toBe(0);
  expect(session.isOpen).toBe(true);
});

test("without a link nothing is sent, and when it breaks the outcome is unknown", async () => {
  const { world, network, one, session } = await exchanging();
  const lost = watch(one.request(session, NEVER, bytes(""), 5000));
  await world.advance(10);
  network.connections[0]!.dialler.reset();
  await world.advance(10);
  expect(lost).toEqual([expect.stringMatching(/^LINK_LOST: .* unknown$/)]);
  const down = watch(one.request(session, ECHO, bytes(""), 5000));
  const none = watch(one.request(undefined, ECHO, bytes(""), 5000));
  await world.advance(0);
  expect(down).toEqual([expect.stringMatching(/^LINK_DOWN: .* not sent$/)]);
  expect(none).toEqual(down);
  expect(one.waiting).toBe(0);
});

test("a handler that ends after the link does answers nobody", async () => {
  const { world, network, one, nodes, session } = await exchanging();
  const lost = watch(one.request(session, LATER, bytes("3"), 5000));
  await world.advance(LATENCY_MS);
  network.connections[0]!.acceptor.reset();
  network.connections[0]!.dialler.reset();
  await world.advance(3000);
  expect(lost).toHaveLength(1);
  expect(nodes[0].hub.session(1)!.isOpen).toBe(true);
});

test("a response that nobody waits for is passed over", async () => {
  const { one, session } = await exchanging();
  one.handle(session, encodeResponse({ id: 12345, status: 0, body: bytes("x") }));
  expect(session.isOpen).toBe(true);
});

test("a request that is cut short closes that link", async () => {
  const { one, session, nodes } = await exchanging();
  one.handle(session, newFrame(12, FRAME.request));
  expect(session.isOpen).toBe(false);
  expect(nodes[0].ends).toEqual(["1 rejected"]);
});

test("requests beyond the limit of a link are refused on either side", async () => {
  const { world, one, other, session } = await exchanging(2);
  const waits = [1, 2, 3].map(() => watch(one.request(session, NEVER, bytes(""), 5000)));
  await world.advance(10);
  expect(waits.map(([end]) => end)).toEqual([
    undefined,
    undefined,
    expect.stringMatching(/^LINK_BUSY: /),
  ]);
  // The limit of who answers, whoever asks.
  const answers: Uint8Array[] = [];
  const asked = { isOpen: true, link: 0, send: (frame: Uint8Array) => answers.push(frame.slice()) };
  for (const id of [1, 2, 3]) {
    const frame = encodeRequest({ id, timeoutMs: 50, kind: NEVER, body: bytes("") });
    other.handle(asked as unknown as LinkSession, frame);
  }
  expect(answers).toHaveLength(1);
  expect(text(answers[0]!.subarray(16))).toMatch(/^LINK_BUSY /);
});
