// What `ringlet ring` and `ringlet status` print of a ring.
import { describe, expect, it } from "vitest";
import { ringText, statusText } from "../../../src/cli/ring-text.ts";
import type { MemberDescription, RingDescription } from "../../../src/ring/view.ts";

const NOW = 1_700_000_000_000;

function member(index: number, changes: Partial<MemberDescription> = {}): MemberDescription {
  return {
    index,
    datacenter: "dc1",
    rack: `r${index + 1}`,
    address: `10.0.0.${index + 1}:8101`,
    tokens: [String(index)],
    share: 1,
    state: "up",
    since: NOW - 5000,
    reason: null,
    epoch: "e",
    rttMs: 0.4321,
    clockOffsetMs: 0.2,
    pendingRequests: 0,
    queuedBytes: 0,
    encrypted: true,
    ...changes,
  };
}

const RING: RingDescription = {
  cluster: "c",
  digest: "d",
  hash: "murmur",
  hashTag: "",
  distribution: "vnode",
  coordinating: true,
  refusal: "",
  fenced: false,
  self: 0,
  members: [
    member(0, { rttMs: null, clockOffsetMs: null, pendingRequests: null, queuedBytes: null }),
    member(1, { tokens: ["1", "2", "3"], share: 0.33333, rack: "r2", clockOffsetMs: -12.6 }),
    member(2, {
      ...{ rack: "r2", share: 0.66667, state: "down", since: NOW - 3_600_000, reason: "lost" },
      ...{ rttMs: null, clockOffsetMs: null, pendingRequests: null, queuedBytes: null },
    }),
  ],
};

describe("ringlet ring", () => {
  it("says who owns what", () => {
    expect(ringText(RING)).toBe(`c: 3 members in 2 racks, vnode, hash murmur

DATACENTER  RACK  MEMBER                TOKENS          SHARE    STATE
dc1         r1    10.0.0.1:8101 (this)  0               100.0 %  up
dc1         r2    10.0.0.2:8101         1,2 and 1 more  33.3 %   up
dc1         r2    10.0.0.3:8101         2               66.7 %   down
`);
  });

  it("names the hash tag, and counts one as one", () => {
    const alone = { ...RING, hashTag: "{}", members: [member(0)] };
    expect(ringText(alone)).toContain("c: 1 member in 1 rack, vnode, hash murmur, hash tag {}\n");
  });
});

describe("ringlet status", () => {
  it("says how each member is", () => {
    expect(statusText(RING, NOW)).toBe(`c, as 10.0.0.1:8101 sees it: it takes requests

MEMBER                RACK  DATACENTER  STATE  FOR     RTT      CLOCK   PENDING  QUEUED  REASON
10.0.0.1:8101 (this)  r1    dc1         up     5 s     -        -       -        -
10.0.0.2:8101         r2    dc1         up     5 s     0.43 ms  -13 ms  0        0
10.0.0.3:8101         r2    dc1         down   60 min  -        -       -        -       lost
`);
  });

  it("says why a node takes no requests", () => {
    const ring = { ...RING, coordinating: false, refusal: "LOADING it has reached 1 of 3" };
    expect(statusText(ring, NOW)).toContain(
      "it takes no requests: LOADING it has reached 1 of 3\n",
    );
  });

  it("says what fenced means where one is", () => {
    const ring = { ...RING, fenced: true, members: [member(0, { state: "fenced" })] };
    const text = statusText(ring, NOW);
    expect(text).toContain("asks other replicas until it has copied its ranges");
    expect(text).toContain("fenced: the member lacks its last state;");
    expect(statusText(RING, NOW)).not.toContain("lacks");
  });

  it.each([
    [0, "0 s"],
    [-5, "0 s"],
    [119_999, "119 s"],
    [120_000, "2 min"],
    [7_199_999, "119 min"],
    [7_200_000, "2 h"],
    [172_800_000, "2 days"],
  ])("gives %i ms as %s", (age, text) => {
    const ring = { ...RING, members: [member(0, { since: NOW - age })] };
    expect(statusText(ring, NOW)).toContain(` up     ${text} `);
  });
});
