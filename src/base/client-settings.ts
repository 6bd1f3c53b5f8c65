/** Settings of clients, whatever they speak: who may connect, what may wait for them, TLS. */
import { MIB, MOST, type Setting } from "./setting.ts";

export const CLIENT_SETTINGS = {
  password: {
    type: "text",
    default: "",
    secret: true,
    flag: "requirepass",
    redisNames: ["requirepass"],
    atRunTime: true,
    description:
      "Password that clients must send with AUTH or HELLO before any command. Empty: none.",
  },
  maxClients: {
    type: "integer",
    unit: "",
    default: 10_000,
    min: 1,
    max: 1_000_000,
    flag: "maxclients",
    redisNames: ["maxclients"],
    atRunTime: true,
    description: "Client connections at a time; the next one gets an error and is closed.",
  },
  maxBulkBytes: {
    type: "bytes",
    default: 64 * MIB,
    min: MIB,
    max: 512 * MIB,
    flag: "proto-max-bulk-len",
    redisNames: ["proto-max-bulk-len"],
    atRunTime: true,
    description: "Longest argument of a command and longest string value.",
  },
  maxRequestBytes: {
    type: "bytes",
    default: 512 * MIB,
    min: MIB,
    max: MOST,
    flag: "client-query-buffer-limit",
    redisNames: ["client-query-buffer-limit"],
    atRunTime: true,
    description:
      "Longest command, all its arguments together, and most bytes that a client may queue between MULTI and EXEC.",
  },
  outputLimitBytes: {
    type: "bytes",
    default: 256 * MIB,
    min: 0,
    max: MOST,
    flag: "output-limit",
    redisNames: ["client-output-buffer-limit"],
    atRunTime: true,
    description:
      "Reply bytes that may wait for a client; beyond them nothing more of it runs until they have left, and it is closed when it takes none of them for --stalled-request-ms. 0: no limit.",
  },
  inFlightBudgetBytes: {
    type: "bytes",
    default: 256 * MIB,
    min: MIB,
    max: MOST,
    flag: "in-flight-budget",
    atRunTime: false,
    description:
      "Bytes of commands that have come in part and of replies that wait, of all clients together; beyond them nothing more is read from the clients that hold much.",
  },
  stalledRequestMs: {
    type: "integer",
    unit: "ms",
    default: 10_000,
    min: 100,
    max: 2_147_483_647,
    flag: "stalled-request-ms",
    atRunTime: true,
    description:
      "A client that takes none of its replies for so long, over the output limit or the in-flight budget, is closed; over the budget, so is the client that holds most of it and makes no progress.",
  },
  idleTimeoutSeconds: {
    type: "integer",
    unit: "s",
    default: 0,
    min: 0,
    max: 2_147_483_647,
    flag: "timeout",
    // The C engine's key of that name is the time for other members.
    confKey: "idle_timeout",
    redisNames: ["timeout"],
    atRunTime: true,
    description: "A client that sends nothing for so long is closed. 0: never.",
  },
  protectedMode: {
    type: "boolean",
    default: true,
    flag: "protected-mode",
    redisNames: ["protected-mode"],
    atRunTime: true,
    description: "Whether clients on other machines are refused while no password is set.",
  },
  tlsCertFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "tls-cert-file",
    atRunTime: false,
    description:
      "File with the node's certificate (PEM, with those between it and its CA): the doors of Redis and memcached clients then speak TLS, and nothing else.",
  },
  tlsKeyFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "tls-key-file",
    atRunTime: false,
    description: "File with the key of --tls-cert-file (PEM, without a passphrase).",
  },
  tlsCaFile: {
    type: "text",
    default: "",
    secret: false,
    flag: "tls-ca-cert-file",
    atRunTime: false,
    description: "File with the certificates of the CAs that clients' certificates must be from.",
  },
  tlsAuthClients: {
    type: "choice",
    default: "yes",
    choices: ["yes", "no", "optional"],
    flag: "tls-auth-clients",
    atRunTime: false,
    description:
      "Whether clients over TLS must show a certificate; optional: they may, and one that is shown must be right.",
  },
  statsTls: {
    type: "boolean",
    default: false,
    flag: "stats-tls",
    atRunTime: false,
    description:
      "Whether --stats-listen serves HTTPS, with the certificate, and for the clients, of --tls-cert-file and the flags beside it.",
  },
  drainTimeoutMs: {
    type: "integer",
    unit: "ms",
    default: 10_000,
    min: 0,
    max: 2_147_483_647,
    flag: "drain-timeout-ms",
    atRunTime: true,
    description:
      "How long a node that closes waits for replies to leave before it cuts connections off.",
  },
  statsToken: {
    type: "text",
    default: "",
    secret: true,
    flag: "stats-token",
    atRunTime: true,
    description:
      "Token (Authorization: Bearer …) with which HTTP requests from other machines may change the node; without one, only those from this machine may.",
  },
} as const satisfies Readonly<Record<string, Setting>>;
