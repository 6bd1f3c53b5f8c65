// The metrics and pages of a real cluster: each event moves what counts it, as operators read it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RingDescription } from "../../../src/ring/view.ts";
import { parseOpenMetrics } from "../../reference/open-metrics.ts";
import { type Cluster, type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { until } from "../until.ts";

const SECRET = "a secret of the test";
const QUORUM = ["RINGLET", "CONSISTENCY", "DC_QUORUM", "DC_QUORUM"];

/** The samples of a member, by name and labels in the order of the page. */
async function scrape(member: ClusterMember): Promise<(sample: string) => number> {
  const families = parseOpenMetrics(await member.page("/metrics"));
  const samples = [...families.values()].flatMap((family) => family.samples);
  const values = new Map(
    samples.map(({ name, labels, value }) => {
      const set = Object.values(labels).map((text) => ` ${text}`);
      return [name.replace("ringlet_", "") + set.join(""), value];
    }),
  );
  return (sample) => values.get(sample) ?? 0;
}

/** How much samples have grown while something was done. */
async function growth(
  member: ClusterMember,
  work: () => Promise<unknown>,
): Promise<(sample: string) => number> {
  const before = await scrape(member);
  await work();
  const after = await scrape(member);
  return (sample) => after(sample) - before(sample);
}

/** Waits until a sample is as it should be. */
async function becomes(
  member: ClusterMember,
  sample: string,
  holds: (value: number) => boolean,
): Promise<void> {
  let value = Number.NaN;
  await until(
    async () => {
      value = (await scrape(member))(sample);
      return holds(value);
    },
    () => `${sample} is ${value}`,
  );
}

async function ring(member: ClusterMember): Promise<RingDescription> {
  return JSON.parse(await member.page("/ring"));
}

describe("three members", () => {
  let cluster: Cluster;
  let one: ClusterMember;
  let two: ClusterMember;
  let three: ClusterMember;

  beforeAll(async () => {
    cluster = await startCluster({
      places: places(3),
      flags: [
        ...["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"],
        ...["--request-timeout-ms", "1000", "--link-timeout-ms", "20000"],
      ],
      secretOf: () => SECRET,
      keep: true,
    });
    [one, two, three] = cluster.members as [ClusterMember, ClusterMember, ClusterMember];
    await cluster.ready();
  });
  afterAll(() => cluster.stop());

  it("count writes: commands, requests, frames, acknowledgements, records, bytes, latency", async () => {
    const replica = await scrape(two);
    const grown = await growth(one, () =>
      one.send(...Array.from({ length: 10 }, (_, i) => ["SET", `w${i}`, "v"])),
    );
    expect(grown("ring_commands_total kernel")).toBe(10);
    expect(grown("ring_requests_total")).toBe(10);
    expect(grown("ring_frames_total out write")).toBe(20);
    expect(grown("ring_latency_seconds_count dc_quorum write")).toBe(10);
    expect(grown("ring_latency_seconds_sum dc_quorum write")).toBeGreaterThan(0);
    expect(grown("link_bytes_total out")).toBeGreaterThan(20 * 28);
    await becomes(one, "ring_pending_requests", (value) => value === 0);
    await until(
      async () =>
        (await scrape(two))("ring_peer_records_total applied") >
        replica("ring_peer_records_total applied"),
      () => "the replica has counted no record",
    );
    const after = await scrape(two);
    const gained = (sample: string) => after(sample) - replica(sample);
    expect(gained("ring_peer_records_total applied")).toBe(10);
    expect(gained("ring_frames_total in write")).toBe(10);
    expect(gained("ring_acknowledgements_total out")).toBe(10);
    expect((await scrape(one))("ring_acknowledgements_total in")).toBeGreaterThanOrEqual(20);
    expect((await scrape(one))("ring_frames_total in acks")).toBeGreaterThan(0);
    expect((await scrape(two))("ring_frames_total out acks")).toBeGreaterThan(0);
  });

  it("count reads, and commands that are left to the host", async () => {
    const grown = await growth(one, () => one.send(["GET", "w1"], ["GET", "w2"]));
    expect(grown("ring_commands_total kernel")).toBe(2);
    expect(grown("ring_commands_total host")).toBe(0);
    // Two of three keys have another first replica, which executes what depends on what is there.
    const counted = await growth(one, () =>
      one.send(...Array.from({ length: 30 }, (_, i) => ["INCR", `n${i}`])),
    );
    expect(counted("ring_commands_total host")).toBeGreaterThan(0);
    expect(counted("ring_commands_total host") + counted("ring_commands_total kernel")).toBe(30);
    expect(grown("ring_latency_seconds_count dc_quorum read")).toBe(2);
    expect(grown("ring_frames_total out read")).toBe(4);
  });

  it("count a read at DC_ONE as one of its level", async () => {
    const grown = await growth(one, () =>
      one.send(["RINGLET", "CONSISTENCY", "DC_ONE", "DC_ONE"], ["GET", "w1"], ["SET", "w1", "x"]),
    );
    expect(grown("ring_latency_seconds_count dc_one read")).toBe(1);
    expect(grown("ring_latency_seconds_count dc_one write")).toBe(1);
  });

  it("tell of their peers: state, round trip, encryption, shares", async () => {
    await becomes(one, "ring_members up", (value) => value === 3);
    const { self, members, coordinating } = await ring(one);
    expect([self, coordinating]).toEqual([0, true]);
    expect(members.map(({ state, share }) => [state, share])).toEqual([
      ["up", 1],
      ["up", 1],
      ["up", 1],
    ]);
    expect(members.map(({ encrypted }) => encrypted)).toEqual([null, true, true]);
    await until(
      async () => (await ring(one)).members.slice(1).every(({ rttMs }) => rttMs !== null),
      () => "no round trip was measured",
    );
    const dcs = JSON.parse(await one.page("/cluster_describe")).dcs;
    expect(dcs[0].racks.map(({ name }: { name: string }) => name)).toEqual(["r1", "r2", "r3"]);
  });

  it("change the levels of new connections over HTTP", async () => {
    const url = (path: string) => `${one.statsUrl}${path}`;
    const level = async () => (await one.send(["RINGLET", "CONSISTENCY"]))[0];
    const before = await level();
    const path = url("/set_consistency/write/dc_one");
    for (const headers of [{ origin: "http://a.example" }, { referer: "http://a.example/" }]) {
      const foreign = await fetch(path, { method: "POST", headers });
      expect(foreign.status).toBe(403);
    }
    expect(await level()).toBe(before);
    expect((await fetch(path)).status).toBe(200);
    expect(await level()).not.toBe(before);
    expect((await fetch(url("/set_consistency/write/dc_quorum"), { method: "POST" })).status).toBe(
      200,
    );
    expect(await level()).toBe(before);
  });

  it("count what fails when most replicas are silent, and what is refused when they are gone", async () => {
    two.pause();
    three.pause();
    const failed = await growth(one, async () => {
      expect((await one.send(QUORUM, ["SET", "lost", "1"]))[1]).toContain(
        "outcome of the write is unknown",
      );
    });
    expect(failed("ring_requests_failed_total")).toBe(1);
    expect(failed("ring_requests_expired_total")).toBe(1);
    two.goOn();
    three.goOn();
    const gone = await growth(one, async () => {
      await two.kill();
      await three.kill();
      await becomes(one, "ring_members down", (value) => value === 2);
      expect((await one.send(QUORUM, ["SET", "k", "1"]))[1]).toContain(
        "(2 of 3 needed, 1 answered)",
      );
    });
    expect(gone("ring_quorums_refused_total")).toBe(1);
    expect(gone("link_sessions_closed_total lost")).toBe(2);
    await becomes(one, "link_dial_failures_total", (value) => value > 0);
    expect((await scrape(one))("link_dials_total")).toBeGreaterThan(0);
    const others = (await ring(one)).members.slice(1);
    expect(others.map(({ state, reason }) => [state, reason])).toEqual([
      ["down", expect.stringMatching(/./)],
      ["down", expect.stringMatching(/./)],
    ]);
  });

  it("count what a member copies that has lost its state, and that it is whole again", async () => {
    const earlier = await scrape(one);
    await two.start();
    await three.start();
    await cluster.ready();
    await becomes(one, "ring_members up", (value) => value === 3);
    const later = await scrape(one);
    expect(later("ring_served_pages_total") - earlier("ring_served_pages_total")).toBeGreaterThan(
      0,
    );
    // Two sessions, and more where both sides have dialled and one connection took the other's place.
    const opened = later("link_sessions_opened_total") - earlier("link_sessions_opened_total");
    expect(opened).toBeGreaterThanOrEqual(2);
    expect(later("link_accepts_total") + later("link_dials_total")).toBeGreaterThan(0);
    const restarted = await scrape(two);
    expect(restarted("ring_copied_records_total")).toBeGreaterThan(0);
    expect(restarted("ring_fenced")).toBe(0);
    expect(restarted("ring_coordinating")).toBe(1);
    await cluster.equal();
  });
});

describe("a member that cannot reach the others", () => {
  it("is not ready, says why, and counts as not coordinating", async () => {
    const cluster = await startCluster({
      places: places(3),
      // They listen on 127.0.0.1 alone.
      seedOf: (seed) => seed.replace("127.0.0.1", "127.0.0.2"),
    });
    const [alone] = cluster.members as [ClusterMember];
    expect(await alone.status("/readyz")).toBe(503);
    expect(await alone.page("/readyz")).toContain("1 of the 3 nodes of its datacenter");
    expect(await alone.status("/healthz")).toBe(200);
    const samples = await scrape(alone);
    expect(samples("ring_coordinating")).toBe(0);
    expect(samples("ring_fenced")).toBe(1);
  });
});

describe("members with different secrets", () => {
  it("count failed handshakes", async () => {
    const cluster = await startCluster({
      places: places(2),
      secretOf: (index) => `the secret of member ${index}`,
    });
    const [one] = cluster.members as [ClusterMember];
    await until(
      async () => {
        const families = parseOpenMetrics(await one.page("/metrics"));
        const names = [
          "ringlet_link_refusals",
          "ringlet_link_refusals_by_peers",
          "ringlet_link_handshake_failures",
        ];
        const samples = names.flatMap((name) => families.get(name)!.samples);
        return samples.some(({ value }) => value > 0);
      },
      () => "nothing was counted",
    );
  });
});
