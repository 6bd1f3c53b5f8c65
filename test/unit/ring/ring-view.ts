/** A ring as operators see it, whose every part a test can set. */

import { newLinkCounters } from "../../../src/link/counters.ts";
import { buildPlacement } from "../../../src/ring/placement.ts";
import { buildTopology } from "../../../src/ring/topology.ts";
import type { MemberView, RingView } from "../../../src/ring/view.ts";
import type { RingFigure } from "../../../src/store/kernel-ring.ts";
import { Histogram } from "../../reference/histogram.ts";
import { codec } from "../codec/codec-under-test.ts";

export const SINCE = 1_700_000_000_000;

/** Three members: this node, one that is up, one that is down. */
export class RingViewUnderTest implements RingView {
  readonly placement = buildPlacement(
    buildTopology({
      name: "c",
      datacenter: "dc1",
      rack: "r1",
      tokens: "1383429731",
      hashTag: "{}",
      listen: { host: "127.0.0.1", port: 8101 },
      seeds: ["127.0.0.2:9101:r2:dc1:1383429731", "127.0.0.3:9101:r1:dc2:7,8"],
    }),
    codec.hashKey,
  );
  refusal: string | undefined;
  isFenced = false;
  isGathering = false;
  isCutOff = false;
  copiedRecords = 0;
  servedPages = 0;
  readonly linkCounters = newLinkCounters();
  /** By name, and position among several of it. */
  readonly figures = new Map<string, number>();
  readonly quorumReads = new Histogram();

  members(): MemberView[] {
    const [self, up, down] = this.placement.topology.members as [never, never, never];
    const rest = { since: SINCE, reason: undefined, epoch: "e1" };
    return [
      { ...rest, member: self, state: this.isFenced ? "fenced" : "up", link: undefined },
      {
        ...rest,
        member: up,
        state: "up",
        link: {
          rttMs: 0.5,
          clockOffsetMs: -20,
          pendingRequests: 3,
          queuedBytes: 400,
          isEncrypted: true,
        },
      },
      { ...rest, member: down, state: "down", reason: "lost", epoch: undefined, link: undefined },
    ];
  }

  figure(name: RingFigure, plus = 0): number {
    return this.figures.get(`${name}+${plus}`) ?? 0;
  }

  latencies() {
    return [
      { level: "DC_QUORUM", operation: "read", counts: this.quorumReads },
      { level: "DC_ONE", operation: "write", counts: new Histogram() },
    ] as const satisfies ReturnType<RingView["latencies"]>;
  }
}
