// The pages of the C engine, in its shapes: what its tools ask a node for, and change of it while it runs.

import { formatHostPort } from "../../base/host-port.ts";
import type { Settings } from "../../base/settings.ts";
import { LEVELS, parseLevel } from "../../ring/levels.ts";
import { describeCluster, type RingView } from "../../ring/view.ts";
import { SERVING_STATES } from "../serving-state.ts";
import { neighbourOf, parseLogLevel } from "./log-levels.ts";
import { CHANGE, ofRing, type Page, type StatsSource, TELL } from "./page.ts";
import { json, text } from "./responses.ts";
import { MAX_TIMEOUT_FACTOR } from "./timeout-factor.ts";

export const ENGINE_PAGES: readonly Page[] = [
  { path: "/ping", methods: TELL, answer: done },
  {
    path: "/cluster_describe",
    methods: TELL,
    answer: ofRing((ring) => json(describeCluster(ring))),
  },
  {
    path: "/get_consistency",
    methods: TELL,
    answer: ofRing((_, { settings }) => text(200, consistencyText(settings))),
  },
  {
    path: "/set_consistency/{read|write}/{level}",
    methods: CHANGE,
    answer: ofRing(setConsistency),
  },
  { path: "/state/get_state", methods: TELL, answer: tellState },
  { path: `/state/{${SERVING_STATES.join("|")}}`, methods: CHANGE, answer: setState },
  { path: "/peer/{up|down|reset}/{address|all}", methods: CHANGE, answer: ofRing(changePeer) },
  {
    path: "/get_timeout_factor",
    methods: TELL,
    answer: ({ timeoutFactor }) => text(200, `Timeout factor: ${timeoutFactor.value}\n`),
  },
  { path: "/set_timeout_factor/{1-10}", methods: CHANGE, answer: setTimeoutFactor },
  { path: "/loglevelup", methods: CHANGE, answer: (source) => moveLogLevel(source, 1) },
  { path: "/logleveldown", methods: CHANGE, answer: (source) => moveLogLevel(source, -1) },
  { path: "/setloglevel/{0-11}", methods: CHANGE, answer: setLogLevel },
  { path: "/read_repairs/{enable|disable}", methods: CHANGE, answer: ofRing(setReadRepairs) },
  {
    path: "/historeset",
    methods: CHANGE,
    answer: () => unchanged("the histograms of this node only grow; take differences of /metrics"),
  },
];

/** What the C engine says of every change. */
function done(): Response {
  return text(200, "OK\r\n");
}

/** A change that cannot be made, and why. */
function unchanged(reason: string): Response {
  return text(400, `Nothing was changed: ${reason}.\n`);
}

function consistencyText(settings: Settings): string {
  const read = settings.get("readConsistency").toUpperCase();
  const write = settings.get("writeConsistency").toUpperCase();
  return `Read Consistency: ${read}\r\nWrite Consistency: ${write}\r\n`;
}

function setConsistency(
  _: RingView,
  { settings }: StatsSource,
  [operation, name = ""]: readonly string[],
): Response {
  const level = parseLevel(name);
  if ((operation !== "read" && operation !== "write") || level === undefined) {
    const levels = LEVELS.join("|").toLowerCase();
    return unchanged(`write /set_consistency/<read|write>/<${levels}>`);
  }
  const setting = operation === "read" ? "readConsistency" : "writeConsistency";
  settings.set(setting, level.toLowerCase() as Lowercase<typeof level>);
  return done();
}

/** A node that takes no requests yet is one that joins. */
function tellState({ state, ring }: StatsSource): Response {
  const isJoining = state.name === "normal" && ring?.refusal !== undefined;
  return text(200, `State: ${(isJoining ? "joining" : state.name).toUpperCase()}\n`);
}

function setState({ state, backend, log }: StatsSource, [name]: readonly string[]): Response {
  const wanted = SERVING_STATES.find((known) => known === name);
  if (wanted === undefined) return unchanged(`write /state/<${SERVING_STATES.join("|")}>`);
  if (backend !== undefined && (wanted === "writes_only" || wanted === "resuming")) {
    return unchanged(
      `what of the commands of the server at ${backend.address} writes is not known here; a node before a server can be normal or standby`,
    );
  }
  state.set(wanted);
  log.info("The state of the node was set over HTTP.", { state: wanted });
  return done();
}

/** Links are taken down, let up again, or made anew. Members are named by host, or by host and port. */
function changePeer(
  ring: RingView,
  { links, log }: StatsSource,
  [change = "", address = ""]: readonly string[],
): Response {
  const { members, self } = ring.placement.topology;
  const peers = members.filter(
    (member) =>
      member !== self &&
      (address === "all" ||
        address === member.address.host ||
        address === formatHostPort(member.address)),
  );
  if (peers.length === 0) return unchanged(`no other member is at ${address}; see /ring`);
  for (const { index } of peers) {
    switch (change) {
      case "up":
        links?.release(index);
        break;
      case "down":
        links?.hold(index);
        break;
      case "reset":
        links?.reset(index);
        break;
      default:
        return unchanged("write /peer/<up|down|reset>/<address|all>");
    }
  }
  log.info("Links to other members were changed over HTTP.", { change, members: peers.length });
  return done();
}

function setTimeoutFactor({ timeoutFactor }: StatsSource, [factor = ""]: readonly string[]) {
  if (!/^\d{1,9}$/.test(factor)) {
    return unchanged(`write /set_timeout_factor/<1-${MAX_TIMEOUT_FACTOR}>`);
  }
  timeoutFactor.set(Number(factor));
  return done();
}

function moveLogLevel({ log }: StatsSource, by: 1 | -1): Response {
  if (log.level === undefined || log.setLevel === undefined) return unchanged(FIXED_LOG);
  log.setLevel(neighbourOf(log.level, by));
  return done();
}

function setLogLevel({ log }: StatsSource, [name = ""]: readonly string[]): Response {
  const level = parseLogLevel(name);
  if (level === undefined) return unchanged("write /setloglevel/<0-11>");
  if (log.setLevel === undefined) return unchanged(FIXED_LOG);
  log.setLevel(level);
  return done();
}

const FIXED_LOG = "the log of this node belongs to the program that it is embedded in";

function setReadRepairs(_: RingView, __: StatsSource, [change]: readonly string[]): Response {
  if (change === "enable") return text(200, "Read Repairs: ENABLED\r\n");
  return unchanged(
    change === "disable"
      ? "members that are found to differ by a read are always repaired"
      : "write /read_repairs/<enable|disable>",
  );
}
