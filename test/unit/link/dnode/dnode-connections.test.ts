import { describe, expect, it } from "vitest";
import { newDnodeCounters } from "../../../../src/link/dnode/counters.ts";
import { DnodeInbound, type DnodeInboundOptions } from "../../../../src/link/dnode/inbound.ts";
import { DNODE_LIMITS } from "../../../../src/link/dnode/limits.ts";
import { DnodeOutbound } from "../../../../src/link/dnode/outbound.ts";
import { type PayloadCipher, sessionCipher } from "../../../../src/link/dnode/payload-cipher.ts";
import { codec } from "../../codec/codec-under-test.ts";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (data: Uint8Array) => Buffer.from(data).toString("latin1");
const GET = "*2\r\n$3\r\nGET\r\n$1\r\nq\r\n";
const frame = (id: number, type: number, payload: string, flags = 0, data = "d") =>
  `   $2014$ ${id} ${type} ${flags} 1 1 *${data.length} ${data} *${payload.length}\r\n${payload}`;

function inbound(options: Partial<DnodeInboundOptions> = {}) {
  const counters = newDnodeCounters();
  const machine = new DnodeInbound({
    codec,
    payload: "redis",
    limits: DNODE_LIMITS,
    counters,
    ...options,
  });
  return { machine, counters };
}

describe("a version 1 connection that a peer has dialled", () => {
  it("sends answers in the order of the requests, whatever order they are given in", () => {
    const { machine } = inbound();
    machine.received(bytes(frame(3, 3, GET) + frame(3, 4, GET) + frame(1, 3, GET)));
    expect(text(machine.answer(1, bytes("$1\r\nb\r\n")).send)).toBe("");
    expect(text(machine.answer(2, bytes("$1\r\nc\r\n")).send)).toBe("");
    expect(text(machine.answer(0, bytes("$1\r\na\r\n")).send)).toBe(
      frame(3, 5, "$1\r\na\r\n") + frame(3, 5, "$1\r\nb\r\n") + frame(1, 5, "$1\r\nc\r\n"),
    );
    expect(machine.outstanding).toBe(0);
    expect(text(machine.answer(0, bytes("$1\r\nz\r\n")).send)).toBe("");
  });

  it("ends where a request has no answer, and answers what came before", () => {
    const { machine } = inbound();
    machine.received(bytes(frame(1, 3, GET) + frame(2, 3, GET) + frame(3, 3, GET)));
    expect(machine.answer(1, "none").isOver).toBe(false);
    expect(text(machine.answer(2, bytes("+c\r\n")).send)).toBe("");
    const step = machine.answer(0, bytes("+a\r\n"));
    expect([text(step.send), step.isOver]).toEqual([frame(1, 5, "+a\r\n"), true]);
    expect(text(machine.answer(2, bytes("+c\r\n")).send)).toBe("");
  });

  it("passes over junk, other types and second commands, and counts them", () => {
    const { machine, counters } = inbound();
    const junk = `$2015$ 9 3 0 1 1 *1 d *20\r\n${GET}`;
    const events = machine.received(
      bytes(
        [0, 1, 2, 5, 6, 99].map((type) => frame(7, type, "+OK\r\n")).join("") +
          junk +
          frame(8, 3, GET + GET) +
          frame(9, 3, GET),
      ),
    );
    expect(events.map(({ kind }) => kind)).toEqual(["request", "request"]);
    expect(counters).toMatchObject({
      requestsIn: 2,
      ignoredFrames: 6,
      skippedBytes: junk.length + GET.length,
    });
  });

  it("tells of gossip of every type, and answers none", () => {
    const { machine, counters } = inbound();
    const syn = "dc$r$1,2,4,127.0.0.1";
    const events = machine.received(
      bytes(frame(0, 7, syn, 0, "a") + frame(1, 13, "", 0, "a") + frame(2, 3, GET)),
    );
    expect(
      events.map((event) => event.kind === "gossip" && [event.type, text(event.payload)]),
    ).toEqual([[7, syn], [13, ""], false]);
    expect(counters.gossipIn).toBe(2);
  });

  it.each([
    ["a payload that is no command", frame(2, 3, "*1\r\n:1\r\n"), "DNODE_BAD_PAYLOAD"],
    ["a payload above the limit", "   $2014$ 2 3 1 1 1 *1 d *2000000000\r\n", "DNODE_LONG_PAYLOAD"],
    ["data above the limit", "   $2014$ 2 3 0 1 1 *70000 ", "DNODE_LONG_DATA"],
    ["an encrypted payload, and no key", frame(2, 3, "0123456789abcdef", 1), "DECRYPT_FAILED"],
    [
      "a key, and this node has none",
      frame(2, 3, "x".repeat(16), 1, "k".repeat(128)),
      "DECRYPT_FAILED",
    ],
  ])("ends with %s, what came before is answered", (_, stream, code) => {
    const { machine, counters } = inbound();
    const events = machine.received(bytes(frame(1, 3, GET) + stream));
    expect(events).toMatchObject([{ kind: "request" }, { kind: "end", code }]);
    expect(counters.closed).toEqual({ [code]: 1 });
    expect(text(machine.answer(0, bytes("+a\r\n")).send)).toBe(frame(1, 5, "+a\r\n"));
  });

  it("ends when more requests wait than may", () => {
    const { machine } = inbound({ limits: { ...DNODE_LIMITS, maxOutstanding: 2 } });
    const events = machine.received(bytes(frame(1, 3, GET).repeat(4)));
    expect(events.map(({ kind }) => kind)).toEqual(["request", "request", "end"]);
  });
});

describe("a version 1 connection that this node has dialled", () => {
  function dialled(key?: { cipher: PayloadCipher; wrapped: Uint8Array }) {
    let id = 10n;
    const counters = newDnodeCounters();
    const machine = new DnodeOutbound({
      codec,
      payload: "redis",
      limits: DNODE_LIMITS,
      counters,
      sameDc: true,
      nextId: () => ++id,
      key,
    });
    return { machine, counters };
  }
  const get = bytes(GET);

  it("matches answers with their requests, and fails those that one overtakes", () => {
    const { machine, counters } = dialled();
    for (let i = 0; i < 4; i++) machine.request(get, 100 + i, false);
    expect(machine.received(bytes(frame(11, 5, "+a\r\n") + frame(13, 5, "+c\r\n")))).toMatchObject([
      { kind: "answer", id: 11n },
      { kind: "unanswered", id: 12n },
      { kind: "answer", id: 13n },
    ]);
    expect(machine.outstanding).toEqual([14n]);
    expect([machine.isLate(102), machine.isLate(103)]).toEqual([false, true]);
    expect(counters).toMatchObject({ requestsOut: 4, answersIn: 2, unanswered: 1 });
  });

  it("passes over second answers and other types, and ends with an answer to what it has not asked", () => {
    const { machine, counters } = dialled();
    machine.request(get, 100, false);
    machine.request(get, 100, false);
    const answer = frame(11, 5, "+a\r\n");
    expect(machine.received(bytes(answer + answer + frame(12, 3, GET)))).toHaveLength(1);
    expect(counters.ignoredFrames).toBe(2);
    expect(machine.received(bytes(frame(13, 5, "+x\r\n")))).toEqual([
      { kind: "end", code: "UNKNOWN_ID" },
    ]);
  });

  it.each(["_\r\n", "%1\r\n+a\r\n+b\r\n", "x"])(
    "ends with an answer of no type that there is: %j",
    (reply) => {
      const { machine } = dialled();
      machine.request(get, 100, false);
      expect(machine.received(bytes(frame(11, 5, reply)))).toEqual([
        { kind: "end", code: "DNODE_BAD_PAYLOAD" },
      ]);
    },
  );

  it("sends the key with its first request, not with gossip, which stays readable", () => {
    const cipher = sessionCipher(codec, new Uint8Array(32).fill(7), 512);
    const wrapped = bytes("w".repeat(128));
    const { machine } = dialled({ cipher, wrapped });
    const { machine: peer } = inbound({
      unwrapKey: (data) => (text(data) === text(wrapped) ? cipher : undefined),
    });
    const long = codec.writeRequest(["SET", "k", "v".repeat(2000)]);
    const stream = [
      machine.gossip(bytes("d$r$1,2,4,h"), 0n),
      machine.request(long, 100, false).send,
      machine.request(get, 100, true).send,
    ];
    const lengths = stream
      .map((one) => codec.parseDnode(one))
      .map(
        (result) => result.status === "complete" && [result.frame.data.length, result.frame.flags],
      );
    expect(lengths).toEqual([
      [1, 0],
      [128, 1],
      [1, 1],
    ]);
    const events = stream.flatMap((one) => peer.received(one));
    expect(events).toMatchObject([
      { kind: "gossip" },
      { kind: "request", request: { payload: long, isForwarded: false } },
      { kind: "request", request: { payload: get, isForwarded: true } },
    ]);
    const { send } = peer.answer(0, bytes("+OK\r\n"));
    expect(machine.received(send)).toEqual([
      { kind: "answer", id: 11n, payload: bytes("+OK\r\n") },
    ]);
  });
});
