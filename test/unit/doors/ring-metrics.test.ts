// The metrics of a ring: that each thing that is counted shows, under one name, as what it is.
import { describe, expect, it } from "vitest";
import { MetricRegistry } from "../../../src/base/metrics.ts";
import { openMetrics } from "../../../src/doors/http/open-metrics.ts";
import { addRingMetrics } from "../../../src/doors/ring-metrics.ts";
import { FRAME, FRAME_FIRST_OF } from "../../../src/link/frame.ts";
import { RING_FIGURE } from "../../../src/store/kernel-ring.ts";
import { parseOpenMetrics } from "../../reference/open-metrics.ts";
import { RingViewUnderTest } from "../ring/ring-view.ts";

function scrape(ring: RingViewUnderTest): Map<string, number> {
  const metrics = new MetricRegistry();
  addRingMetrics(metrics, ring);
  const samples = [...parseOpenMetrics(openMetrics(metrics)).values()].flatMap(
    (family) => family.samples,
  );
  return new Map(
    samples.map(({ name, labels, value }) => {
      const set = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
      return [[name, ...set].join(" "), value];
    }),
  );
}

/** Which samples change by `change`, and to what. */
function changed(change: (ring: RingViewUnderTest) => void): Record<string, number> {
  const ring = new RingViewUnderTest();
  const before = scrape(ring);
  change(ring);
  const entries = [...scrape(ring)].filter(([key, value]) => (before.get(key) ?? 0) !== value);
  return Object.fromEntries(entries);
}

/** Figures that other numbers show: bytes of frames (the links count them too), and what only tests look at. */
const SHOWN_ELSEWHERE = ["bytesIn", "bytesOut", "slotRoom", "replyPages"];

describe("what the kernel counts", () => {
  it.each(
    Object.keys(RING_FIGURE).filter(
      (name) => !SHOWN_ELSEWHERE.includes(name) && !name.startsWith("frames"),
    ),
  )("%s changes one metric", (name) => {
    const samples = changed((ring) => ring.figures.set(`${name}+0`, 7));
    expect(Object.values(samples)).toEqual([7]);
  });

  it.each(Object.entries(FRAME).filter(([, type]) => type < FRAME_FIRST_OF.host))(
    "frames of the type %s change one metric for each direction",
    (frame, type) => {
      const plus = type - FRAME_FIRST_OF.kernel;
      const samples = changed((ring) => {
        ring.figures.set(`framesIn+${plus}`, 2);
        ring.figures.set(`framesOut+${plus}`, 3);
      });
      expect(samples).toEqual({
        [`ringlet_ring_frames_total direction=in frame=${frame}`]: 2,
        [`ringlet_ring_frames_total direction=out frame=${frame}`]: 3,
      });
    },
  );
});

describe("what links count", () => {
  it.each([
    "dials",
    "dialFailures",
    "accepts",
    "acceptsRefused",
    "sessionsOpened",
    "bytesIn",
    "bytesOut",
    "framesRejected",
    "decryptFailures",
  ] as const)("%s changes one metric", (name) => {
    const samples = changed(({ linkCounters }) => {
      linkCounters[name] = 5;
    });
    expect(Object.values(samples)).toEqual([5]);
  });

  it.each(["sessionsClosed", "refusals", "refusalsByPeers", "handshakeFailures"] as const)(
    "%s change one metric for each reason",
    (name) => {
      const samples = changed(({ linkCounters }) => {
        linkCounters[name] = { LOST: 1, TIMEOUT: 2 };
      });
      expect(Object.values(samples)).toEqual([1, 2]);
      expect(Object.keys(samples).every((key) => / reason=(LOST|TIMEOUT)$/.test(key))).toBe(true);
    },
  );
});

describe("the ring's state", () => {
  it("shows", () => {
    const all = Object.fromEntries(scrape(new RingViewUnderTest()));
    const peer = (address: string, datacenter: string, rack: string) =>
      `peer=${address} datacenter=${datacenter} rack=${rack}`;
    const up = peer("127.0.0.2:9101", "dc1", "r2");
    const down = peer("127.0.0.3:9101", "dc2", "r1");
    expect(all).toMatchObject({
      ringlet_ring_coordinating: 1,
      ringlet_ring_fenced: 0,
      "ringlet_ring_members state=up": 2,
      "ringlet_ring_members state=down": 1,
      "ringlet_ring_members state=fenced": 0,
      [`ringlet_ring_peer_up ${up}`]: 1,
      [`ringlet_ring_peer_up ${down}`]: 0,
      [`ringlet_ring_peer_rtt_seconds ${up}`]: 0.0005,
      [`ringlet_ring_peer_clock_offset_seconds ${up}`]: -0.02,
      [`ringlet_ring_peer_pending ${up}`]: 3,
      [`ringlet_ring_peer_queued_bytes ${up}`]: 400,
    });
    expect(Object.keys(all).filter((key) => key.endsWith(down))).toEqual([
      `ringlet_ring_peer_up ${down}`,
    ]);
    const info = Object.keys(all).find((key) => key.startsWith("ringlet_ring_info "));
    expect(info).toMatch(/cluster=c digest=[0-9a-f]{16} datacenter=dc1 rack=r1$/);
  });

  it("changes", () => {
    const samples = changed((ring) => {
      ring.refusal = "no majority";
      ring.isFenced = true;
      ring.copiedRecords = 11;
      ring.servedPages = 12;
    });
    expect(samples).toEqual({
      ringlet_ring_coordinating: 0,
      ringlet_ring_fenced: 1,
      "ringlet_ring_members state=up": 1,
      "ringlet_ring_members state=fenced": 1,
      ringlet_ring_copied_records_total: 11,
      ringlet_ring_served_pages_total: 12,
    });
  });

  it("has a histogram for each level and operation", () => {
    const samples = changed((ring) => ring.quorumReads.record(2));
    const name = "ringlet_ring_latency_seconds";
    expect(samples).toMatchObject({
      [`${name}_bucket level=dc_quorum operation=read le=0.002048`]: 1,
      [`${name}_count level=dc_quorum operation=read`]: 1,
      [`${name}_sum level=dc_quorum operation=read`]: 0.002,
    });
    expect(Object.keys(samples).every((key) => key.includes("level=dc_quorum"))).toBe(true);
  });
});
