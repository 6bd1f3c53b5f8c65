// The rules of consistency: one request on one key, answers in any order.
import { describe, expect, it } from "vitest";
import {
  type CoordinatedRequest,
  Coordination,
  type Decision,
  type Replica,
} from "../../../src/ring/coordinator.ts";
import type { ConsistencyLevel } from "../../../src/ring/levels.ts";
import { OLDEST, type Stamp, stampFrom } from "../../../src/store/stamp.ts";

const at = (time: number, node = 0): Stamp => stampFrom(BigInt(time), node);
const up = (id: number): Replica => ({ id, isUp: true, isReadable: true });
const down = (id: number): Replica => ({ id, isUp: false, isReadable: false });
const fenced = (id: number): Replica => ({ id, isUp: true, isReadable: false });

const acknowledged = (stamp: Stamp) => ({ to: "write", says: "acknowledged", stamp }) as const;
const refused = (stamp: Stamp, held: Stamp) =>
  ({ to: "write", says: "stale", stamp, held }) as const;
const equal = { to: "read", says: "equal" } as const;
const older = { to: "read", says: "older" } as const;
const newer = (stamp: Stamp) => ({ to: "read", says: "newer", stamp }) as const;

/** A request of node 0, by default one of three replicas that are up. */
function request(
  kind: CoordinatedRequest["kind"],
  level: ConsistencyLevel,
  options: Partial<CoordinatedRequest> = {},
): Coordination {
  return new Coordination({
    kind,
    level,
    datacenters: [[up(0), up(1), up(2)]],
    self: 0,
    stamp: at(5),
    ...options,
  });
}

const write = (to: number, stamp: Stamp, spread = false): Decision => ({
  do: "write",
  to,
  stamp,
  spread,
});
const read = (from: number, stamp: Stamp): Decision => ({ do: "read", from, stamp });
const reply = (stamp: Stamp): Decision => ({ do: "reply", stamp });
const failure = (got: number, need: number, of: number, unknown: boolean): Decision => ({
  do: "fail",
  got,
  need,
  of,
  unknown,
});

describe("a blind write", () => {
  it("is answered at DC_ONE by the coordinator's own copy, the frames of the others being sent first", () => {
    expect(request("blind", "DC_ONE").start()).toEqual([
      write(1, at(5)),
      write(2, at(5)),
      reply(at(5)),
    ]);
  });

  it("needs a real acknowledgement at DC_ONE where the coordinator is no replica", () => {
    const coordination = request("blind", "DC_ONE", {
      self: undefined,
      datacenters: [[up(1), up(2), up(3)]],
    });
    expect(coordination.start()).toHaveLength(3);
    expect(coordination.answered(3, acknowledged(at(5)))).toEqual([reply(at(5))]);
  });

  it("needs a quorum of the configured replicas, the coordinator included", () => {
    const coordination = request("blind", "DC_QUORUM");
    expect(coordination.start()).toEqual([write(1, at(5)), write(2, at(5))]);
    expect(coordination.answered(2, acknowledged(at(5)))).toEqual([reply(at(5))]);
  });

  it("never has a smaller quorum because replicas are down", () => {
    const coordination = request("blind", "DC_QUORUM", {
      datacenters: [[up(0), down(1), down(2)]],
    });
    expect(coordination.start()).toEqual([failure(1, 2, 3, false)]);
  });

  it("counts a fenced replica, which takes writes", () => {
    const coordination = request("blind", "DC_QUORUM", {
      datacenters: [[up(0), fenced(1), down(2)]],
    });
    coordination.start();
    expect(coordination.answered(1, acknowledged(at(5)))).toEqual([reply(at(5))]);
  });

  it("is stamped again and sent anew when a replica holds something newer: stale is no acknowledgement", () => {
    const coordination = request("blind", "DC_QUORUM");
    coordination.start();
    expect(coordination.answered(1, refused(at(5), at(9, 2)))).toEqual([
      { do: "restamp", after: at(9, 2) },
    ]);
    expect(coordination.restamped(at(10))).toEqual([write(1, at(10)), write(2, at(10))]);
    expect(coordination.answered(1, acknowledged(at(10)))).toEqual([reply(at(10))]);
  });

  it("does not count acknowledgements of a stamp that it has given up", () => {
    const coordination = request("blind", "DC_QUORUM");
    coordination.start();
    coordination.answered(1, refused(at(5), at(9)));
    coordination.restamped(at(10));
    expect(coordination.answered(2, acknowledged(at(5)))).toEqual([]);
    expect(coordination.isOver).toBe(false);
  });

  it("ignores stale when it has been answered", () => {
    const coordination = request("blind", "DC_QUORUM");
    coordination.start();
    coordination.answered(1, acknowledged(at(5)));
    expect(coordination.answered(2, refused(at(5), at(9)))).toEqual([]);
  });

  it("fails as unknown when links are lost and a quorum cannot come any more", () => {
    const coordination = request("blind", "DC_QUORUM");
    coordination.start();
    expect(coordination.lost(1)).toEqual([]);
    expect(coordination.lost(2)).toEqual([failure(1, 2, 3, true)]);
  });

  it("fails as unknown at its deadline", () => {
    const coordination = request("blind", "DC_QUORUM");
    coordination.start();
    expect(coordination.deadlinePassed()).toEqual([failure(1, 2, 3, true)]);
    expect(coordination.answered(1, acknowledged(at(5)))).toEqual([]);
  });

  it("goes once to another datacenter, where its receiver spreads it, and is not counted there", () => {
    const coordination = request("blind", "DC_QUORUM", {
      datacenters: [
        [up(0), up(1), up(2)],
        [down(10), up(11), up(12)],
      ],
    });
    expect(coordination.start()).toContainEqual(write(11, at(5), true));
    expect(coordination.answered(11, acknowledged(at(5)))).toEqual([]);
  });
});

describe("DC_EACH_SAFE_QUORUM", () => {
  const datacenters = [
    [up(0), up(1), up(2)],
    [up(10), up(11), up(12)],
  ];

  it("needs a quorum in every datacenter", () => {
    const coordination = request("blind", "DC_EACH_SAFE_QUORUM", { datacenters });
    coordination.start();
    coordination.answered(1, acknowledged(at(5)));
    coordination.answered(2, acknowledged(at(5)));
    coordination.answered(10, acknowledged(at(5)));
    expect(coordination.isOver).toBe(false);
    expect(coordination.answered(12, acknowledged(at(5)))).toEqual([reply(at(5))]);
  });

  it("fails before anything is sent with the numbers of the datacenter that cannot be reached", () => {
    const coordination = request("blind", "DC_EACH_SAFE_QUORUM", {
      datacenters: [datacenters[0]!, [up(10), down(11), down(12)]],
    });
    expect(coordination.start()).toEqual([failure(0, 2, 3, false)]);
  });
});

describe("an effect", () => {
  it("is done at DC_ONE when it was run, and is not stamped again for what a replica holds", () => {
    const coordination = request("effect", "DC_ONE");
    const decisions = coordination.start();
    expect(decisions.filter(({ do: what }) => what === "reply")).toEqual([reply(at(5))]);
    expect(coordination.answered(1, refused(at(5), at(9)))).toEqual([]);
  });
});

describe("a read", () => {
  it("is answered at DC_ONE from the coordinator's own copy", () => {
    expect(request("read", "DC_ONE").start()).toEqual([reply(at(5))]);
  });

  it("asks the replicas one after the other at DC_ONE where the coordinator has no copy", () => {
    const coordination = request("read", "DC_ONE", {
      self: undefined,
      stamp: OLDEST,
      datacenters: [[up(1), up(2), down(3)]],
    });
    expect(coordination.start()).toEqual([read(1, OLDEST)]);
    expect(coordination.lost(1)).toEqual([read(2, OLDEST)]);
    expect(coordination.answered(2, newer(at(8)))).toEqual([reply(at(8))]);
  });

  it("is answered with what is there when a quorum holds the same", () => {
    const coordination = request("read", "DC_QUORUM");
    expect(coordination.start()).toEqual([read(1, at(5)), read(2, at(5))]);
    expect(coordination.answered(2, equal)).toEqual([reply(at(5))]);
  });

  it("answers the newest of R, takes it over, and repairs who said less", () => {
    const coordination = request("read", "DC_QUORUM", {
      datacenters: [[up(0), up(1), up(2), up(3), up(4)]],
    });
    coordination.start();
    expect(coordination.answered(1, equal)).toEqual([]);
    expect(coordination.answered(2, newer(at(8, 3)))).toEqual([
      { do: "adopt", stamp: at(8, 3) },
      ...[1, 3, 4].map((id) => write(id, at(8, 3))),
      reply(at(8, 3)),
    ]);
    expect(coordination.answered(3, older)).toEqual([]);
  });

  it("repairs who has less than the coordinator, also when it has been answered", () => {
    const coordination = request("read", "DC_QUORUM");
    coordination.start();
    expect(coordination.answered(1, equal)).toEqual([reply(at(5))]);
    expect(coordination.answered(2, older)).toEqual([write(2, at(5))]);
  });

  it("is asked of replicas that were fenced when they were last heard of: only they know whether they still are", () => {
    const coordination = request("read", "DC_QUORUM", {
      datacenters: [[up(0), fenced(1), fenced(2)]],
    });
    expect(coordination.start()).toEqual([read(1, at(5)), read(2, at(5))]);
    expect(coordination.answered(1, { to: "read", says: "failed" })).toEqual([]);
    expect(coordination.answered(2, equal)).toEqual([reply(at(5))]);
  });

  it("fails when replicas that are fenced refuse it", () => {
    const coordination = request("read", "DC_QUORUM", {
      datacenters: [[up(0), fenced(1), down(2)]],
    });
    coordination.start();
    expect(coordination.answered(1, { to: "read", says: "failed" })).toEqual([
      failure(1, 2, 3, false),
    ]);
  });

  it("asks at DC_ONE who is known to answer reads first, and the others when they do not", () => {
    const coordination = request("read", "DC_ONE", {
      self: undefined,
      stamp: OLDEST,
      datacenters: [[fenced(1), up(2), down(3)]],
    });
    expect(coordination.start()).toEqual([read(2, OLDEST)]);
    expect(coordination.lost(2)).toEqual([read(1, OLDEST)]);
    expect(coordination.answered(1, { to: "read", says: "failed" })).toEqual([
      failure(0, 1, 3, false),
    ]);
  });

  it("of a fenced coordinator counts itself in no R", () => {
    const coordination = request("read", "DC_QUORUM", {
      datacenters: [[fenced(0), up(1), up(2)]],
      stamp: OLDEST,
    });
    coordination.start();
    expect(coordination.answered(1, newer(at(8)))).toEqual([
      { do: "adopt", stamp: at(8) },
      write(2, at(8)),
    ]);
    expect(coordination.answered(2, equal)).toEqual([reply(at(8))]);
  });

  it("fails without doubt about writes when too few answer", () => {
    const coordination = request("read", "DC_QUORUM");
    coordination.start();
    coordination.lost(1);
    expect(coordination.lost(2)).toEqual([failure(1, 2, 3, false)]);
  });

  it("waits at DC_SAFE_QUORUM until a quorum holds what it answers", () => {
    const coordination = request("read", "DC_SAFE_QUORUM");
    coordination.start();
    expect(coordination.answered(1, older)).toEqual([write(1, at(5))]);
    expect(coordination.answered(1, acknowledged(at(5)))).toEqual([reply(at(5))]);
  });

  it("is answered at DC_SAFE_QUORUM at once when the newest is at a quorum with the coordinator's own copy", () => {
    const coordination = request("read", "DC_SAFE_QUORUM");
    coordination.start();
    expect(coordination.answered(2, newer(at(8)))).toEqual([
      { do: "adopt", stamp: at(8) },
      write(1, at(8)),
      reply(at(8)),
    ]);
  });

  it("of nothing has nothing to write back", () => {
    const coordination = request("read", "DC_SAFE_QUORUM", { stamp: OLDEST });
    coordination.start();
    expect(coordination.answered(2, equal)).toEqual([reply(OLDEST)]);
  });
});
