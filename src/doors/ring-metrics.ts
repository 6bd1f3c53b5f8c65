// The metrics of a member of a ring: what it has counted, and how each other member is.

import { formatHostPort } from "../base/host-port.ts";
import type { MetricRegistry, Sample } from "../base/metrics.ts";
import type { DnodeCounters } from "../link/dnode/counters.ts";
import { FRAME, FRAME_FIRST_OF } from "../link/frame.ts";
import { MEMBER_STATES, type MemberView, type RingView } from "../ring/view.ts";
import type { RingFigure } from "../store/kernel-ring.ts";

export function addRingMetrics(metrics: MetricRegistry, ring: RingView): void {
  addState(metrics, ring);
  addMembers(metrics, ring);
  addRequests(metrics, ring);
  addFrames(metrics, ring);
  addLinks(metrics, ring);
  metrics.add({
    name: "ringlet_ring_latency_seconds",
    type: "histogram",
    unit: "seconds",
    help: "How long requests of clients waited for other members, by level and operation.",
    read: () =>
      ring.latencies().map(({ level, operation, counts }) => ({
        labels: { level: level.toLowerCase(), operation },
        counts,
      })),
  });
}

function addState(metrics: MetricRegistry, ring: RingView): void {
  metrics.add({
    name: "ringlet_ring",
    type: "info",
    help: "The cluster that this node is a member of, and its configuration's digest.",
    read: () => {
      const { cluster, digest, self } = ring.placement.topology;
      const { datacenter, rack } = self;
      return [{ labels: { cluster, digest, datacenter, rack }, value: 1 }];
    },
  });
  metrics.add({
    name: "ringlet_ring_coordinating",
    type: "gauge",
    help: "Whether this node takes requests of clients: 1 or 0.",
    read: () => (ring.refusal === undefined ? 1 : 0),
  });
  metrics.add({
    name: "ringlet_ring_fenced",
    type: "gauge",
    help: "Whether this node lacks its last store epoch and answers no reads: 1 or 0.",
    read: () => (ring.isFenced ? 1 : 0),
  });
  metrics.add({
    name: "ringlet_ring_copied_records",
    type: "counter",
    help: "Records that this node has copied from others to catch up.",
    read: () => ring.copiedRecords,
  });
  metrics.add({
    name: "ringlet_ring_served_pages",
    type: "counter",
    help: "Pages of records that others have copied from this node.",
    read: () => ring.servedPages,
  });
}

function addMembers(metrics: MetricRegistry, ring: RingView): void {
  metrics.add({
    name: "ringlet_ring_members",
    type: "gauge",
    help: "Members as this node sees them, by state; itself counts too.",
    read: () => {
      const views = ring.members();
      return MEMBER_STATES.map((state) => ({
        labels: { state },
        value: views.filter((view) => view.state === state).length,
      }));
    },
  });
  metrics.add({
    name: "ringlet_ring_peer_up",
    type: "gauge",
    help: "Whether there is a session with a peer, or a connection to a node of the C engine: 1 or 0.",
    read: () => perPeer(ring, ({ state }) => (state === "down" ? 0 : 1)),
  });
  for (const [name, unit, help, of] of [
    [
      "rtt_seconds",
      "seconds",
      "Time that a ping takes to a peer and back.",
      ({ rttMs }) => seconds(rttMs),
    ],
    [
      "clock_offset_seconds",
      "seconds",
      "How far a peer's clock is ahead of this node's.",
      ({ clockOffsetMs }) => seconds(clockOffsetMs),
    ],
    [
      "queued_bytes",
      "bytes",
      "Bytes that wait to leave for a peer.",
      ({ queuedBytes }) => queuedBytes,
    ],
  ] as const satisfies readonly [string, string, string, LinkValue][]) {
    metrics.add({
      name: `ringlet_ring_peer_${name}`,
      type: "gauge",
      unit,
      help,
      read: () => perPeer(ring, ({ link }) => (link === undefined ? undefined : of(link))),
    });
  }
  metrics.add({
    name: "ringlet_ring_peer_pending",
    type: "gauge",
    help: "Requests that a peer has not answered.",
    read: () => perPeer(ring, ({ link }) => link?.pendingRequests),
  });
}

type LinkValue = (link: NonNullable<MemberView["link"]>) => number | undefined;

/** Figures of the kernel that count one thing each. */
const REQUEST_COUNTERS: readonly [name: string, figure: RingFigure, help: string][] = [
  ["requests", "slotsOpened", "Requests that waited for other members."],
  ["requests_failed", "slotsFailed", "Requests that could not get the answers they needed."],
  ["requests_expired", "slotsExpired", "Requests that failed because their time was over."],
  [
    "quorums_refused",
    "quorumsRefused",
    "Commands refused because too few replicas were up; nothing was written.",
  ],
  ["requests_refused", "slotsRefused", "Commands refused because too many waited for replicas."],
  ["replies_changed", "repliesChanged", "Replies that answers of other members have changed."],
  [
    "writes_restamped",
    "writesRestamped",
    "Writes sent again because a replica held something newer.",
  ],
  [
    "requests_retried",
    "requestsRetried",
    "Commands that were run again because a replica held something newer.",
  ],
  ["repairs", "repairsSent", "Records sent to repair a replica that held something older."],
  ["spread_records", "spreadRecords", "Records passed on to other racks of this datacenter."],
  ["requests_lost", "lostRequests", "Requests to a peer that failed because its link was lost."],
  [
    "link_overflows",
    "linkOverflows",
    "Times that so much waited for a peer that it was sent only what a quorum could not do without.",
  ],
  [
    "unsent_records",
    "unsentRecords",
    "Records that a peer was not sent because too much waited for it; it copies them later.",
  ],
  [
    "refused_late",
    "refusedBehind",
    "Requests of peers refused because the answers would have come too late.",
  ],
];

function addRequests(metrics: MetricRegistry, ring: RingView): void {
  for (const [name, figure, help] of REQUEST_COUNTERS) {
    const read = () => ring.figure(figure);
    metrics.add({ name: `ringlet_ring_${name}`, type: "counter", help, read });
  }
  metrics.add({
    name: "ringlet_ring_commands",
    type: "counter",
    help: "Commands of the kernel's kind, by who coordinated them.",
    read: () => [
      { labels: { by: "kernel" }, value: ring.figure("commandsCoordinated") },
      { labels: { by: "host" }, value: ring.figure("commandsLeft") },
    ],
  });
  metrics.add({
    name: "ringlet_ring_pending_requests",
    type: "gauge",
    help: "Requests that wait for other members.",
    read: () => ring.figure("pendingSlots"),
  });
  metrics.add({
    name: "ringlet_ring_reply_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Bytes of replies that wait for other members.",
    read: () => ring.figure("replyBytes"),
  });
  metrics.add({
    name: "ringlet_ring_peer_records",
    type: "counter",
    help: "Records that came from peers: applied, held already, or older than what is here.",
    read: () => [
      { labels: { outcome: "applied" }, value: ring.figure("appliedRecords") },
      { labels: { outcome: "equal" }, value: ring.figure("equalRecords") },
      { labels: { outcome: "stale" }, value: ring.figure("staleRecords") },
    ],
  });
  metrics.add({
    name: "ringlet_ring_refused_records",
    type: "counter",
    help: "Requests of peers that were refused: stamp too far ahead, no memory, not a replica, fenced.",
    read: () => [
      { labels: { reason: "ahead" }, value: ring.figure("refusedAhead") },
      { labels: { reason: "memory" }, value: ring.figure("refusedMemory") },
      { labels: { reason: "not_a_replica" }, value: ring.figure("refusedForeign") },
      { labels: { reason: "fenced" }, value: ring.figure("refusedFenced") },
    ],
  });
}

/** The kernel's types of frames by name. */
const KERNEL_FRAMES = Object.entries(FRAME).filter(([, type]) => type < FRAME_FIRST_OF.host);

function addFrames(metrics: MetricRegistry, ring: RingView): void {
  const frames = (direction: string, figure: RingFigure): Sample[] =>
    KERNEL_FRAMES.map(([frame, type]) => ({
      labels: { direction, frame },
      value: ring.figure(figure, type - FRAME_FIRST_OF.kernel),
    }));
  metrics.add({
    name: "ringlet_ring_frames",
    type: "counter",
    help: "Frames of requests and answers that came and went, by type.",
    read: () => [...frames("in", "framesIn"), ...frames("out", "framesOut")],
  });
  metrics.add({
    name: "ringlet_ring_acknowledgements",
    type: "counter",
    help: "Requests that were acknowledged by peers (in) and to peers (out).",
    read: () => [
      { labels: { direction: "in" }, value: ring.figure("acksReceived") },
      { labels: { direction: "out" }, value: ring.figure("acksSent") },
    ],
  });
  metrics.add({
    name: "ringlet_ring_host_frames",
    type: "counter",
    help: "Frames of peers that the kernel left to the host.",
    read: () => ring.figure("hostFrames"),
  });
}

function addLinks(metrics: MetricRegistry, ring: RingView): void {
  const add = (name: string, help: string, read: () => number | readonly Sample[]) =>
    metrics.add({ name: `ringlet_link_${name}`, type: "counter", help, read });
  add("dials", "Connections to peers that were tried.", () => ring.linkCounters.dials);
  add(
    "dial_failures",
    "Connections to peers that were not made.",
    () => ring.linkCounters.dialFailures,
  );
  add("accepts", "Connections of peers that were taken in.", () => ring.linkCounters.accepts);
  add(
    "accepts_refused",
    "Connections of peers that were closed because too many were waiting.",
    () => ring.linkCounters.acceptsRefused,
  );
  add(
    "sessions_opened",
    "Sessions with peers that were opened.",
    () => ring.linkCounters.sessionsOpened,
  );
  add("sessions_closed", "Sessions with peers that ended, by reason.", () =>
    samplesOf("reason", ring.linkCounters.sessionsClosed),
  );
  add("refusals", "Peers that this node refused, by reason.", () =>
    samplesOf("reason", ring.linkCounters.refusals),
  );
  add("refusals_by_peers", "Peers that refused this node, by reason.", () =>
    samplesOf("reason", ring.linkCounters.refusalsByPeers),
  );
  add("handshake_failures", "Connections that ended before they were sessions, by reason.", () =>
    samplesOf("reason", ring.linkCounters.handshakeFailures),
  );
  add(
    "frames_rejected",
    "Frames, or bytes in their place, for which a link was closed.",
    () => ring.linkCounters.framesRejected + ring.figure("brokenFrames"),
  );
  add(
    "decrypt_failures",
    "Frames that could not be decrypted, for which a link was closed.",
    () => ring.linkCounters.decryptFailures,
  );
  addVersion1(metrics, ring);
  metrics.add({
    name: "ringlet_link_bytes",
    type: "counter",
    unit: "bytes",
    help: "Bytes of frames that came from peers and went to them, before encryption.",
    read: () => [
      { labels: { direction: "in" }, value: ring.linkCounters.bytesIn },
      { labels: { direction: "out" }, value: ring.linkCounters.bytesOut },
    ],
  });
}

/** Connections of framing version 1, which nodes of the C engine speak. */
function addVersion1(metrics: MetricRegistry, ring: RingView): void {
  const add = (name: string, help: string, read: (of: DnodeCounters) => number | Sample[]) =>
    metrics.add({
      name: `ringlet_version1_${name}`,
      type: "counter",
      help,
      read: () => read(ring.linkCounters.version1),
    });
  metrics.add({
    name: "ringlet_version1_connections",
    type: "gauge",
    help: "Connections of version 1 peers that are open; those that were silent for 2 s count too.",
    read: () => ring.linkCounters.version1.open,
  });
  add("requests", "Requests of version 1 peers.", ({ requestsIn }) => requestsIn);
  add("answers", "Answers to version 1 peers.", ({ answersOut }) => answersOut);
  add(
    "requests_out",
    "Requests of this node to nodes of the C engine.",
    ({ requestsOut }) => requestsOut,
  );
  add("answers_in", "Answers of nodes of the C engine to this one.", ({ answersIn }) => answersIn);
  add(
    "unanswered",
    "Requests that a node of the C engine left without an answer while it answered later ones.",
    ({ unanswered }) => unanswered,
  );
  add("gossip", "Frames of gossip of version 1 peers.", ({ gossipIn }) => gossipIn);
  add(
    "skipped_bytes",
    "Bytes from version 1 peers that were no frame and were passed over.",
    ({ skippedBytes }) => skippedBytes,
  );
  add(
    "ignored_frames",
    "Frames of version 1 peers of types that nothing is done with.",
    ({ ignoredFrames }) => ignoredFrames,
  );
  add("closed", "Connections closed for what a version 1 peer sent, by reason.", ({ closed }) =>
    samplesOf("reason", closed),
  );
}

const samplesOf = (label: string, counts: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(counts).map(([key, value]) => ({ labels: { [label]: key }, value }));

/** A sample for each other member that has a value. */
function perPeer(ring: RingView, read: (view: MemberView) => number | undefined): Sample[] {
  const { self } = ring.placement.topology;
  return ring.members().flatMap((view) => {
    const { member } = view;
    const value = member === self ? undefined : read(view);
    if (value === undefined) return [];
    const { datacenter, rack, address } = member;
    const peer = formatHostPort(address);
    return [{ labels: { peer, datacenter, rack }, value }];
  });
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
