/** Settings of a member of a ring: levels, requests to other members, catching up. */
import { KIB, MIB, type Setting } from "./setting.ts";

/** Consistency levels as settings name them: those of src/ring/levels.ts in lower case, as the C engine writes them. */
const CONSISTENCY_LEVELS = [
  "dc_one",
  "dc_quorum",
  "dc_safe_quorum",
  "dc_each_safe_quorum",
] as const;

export const RING_SETTINGS = {
  readConsistency: {
    type: "choice",
    default: "dc_one",
    choices: CONSISTENCY_LEVELS,
    flag: "read-consistency",
    atRunTime: true,
    description: "Level at which new connections to a member of a ring read.",
  },
  writeConsistency: {
    type: "choice",
    default: "dc_one",
    choices: CONSISTENCY_LEVELS,
    flag: "write-consistency",
    atRunTime: true,
    description: "Level at which new connections to a member of a ring write.",
  },
  requestTimeoutMs: {
    type: "integer",
    unit: "ms",
    default: 5000,
    min: 10,
    max: 3_600_000,
    flag: "request-timeout-ms",
    atRunTime: true,
    description:
      "How long a command may wait for other members, or for the server behind the node, before it ends with an error.",
  },
  rememberedWrites: {
    type: "integer",
    unit: "",
    default: 65_536,
    min: 16,
    max: 16_777_216,
    flag: "remembered-writes",
    atRunTime: true,
    description:
      "Writes that this node has run for other members, whose replies it keeps: one that is sent again is answered, not run again.",
  },
  maxStampAheadMs: {
    type: "integer",
    unit: "ms",
    default: 10_000,
    min: 1,
    max: 3_600_000,
    flag: "max-stamp-ahead-ms",
    atRunTime: false,
    description:
      "Writes stamped further ahead of this node's clock are refused, and so are peers whose clock is further off; all members need the same.",
  },
  maxPendingRequests: {
    type: "integer",
    unit: "",
    default: 1_048_576,
    min: 16,
    max: 16_777_216,
    flag: "max-pending-requests",
    atRunTime: false,
    description: "Commands that may wait for other members at a time; further ones get an error.",
  },
  copyPageBytes: {
    type: "bytes",
    default: 256 * KIB,
    min: 4 * KIB,
    max: 16 * MIB,
    flag: "copy-page",
    atRunTime: true,
    description: "Bytes of records that are sent at a time to a member which catches up.",
  },
  copyParallel: {
    type: "integer",
    unit: "",
    default: 2,
    min: 1,
    max: 128,
    flag: "copy-parallel",
    atRunTime: true,
    description:
      "Members that one which catches up copies from at the same time: so many of its own datacenter, and so many of others.",
  },
} as const satisfies Readonly<Record<string, Setting>>;
