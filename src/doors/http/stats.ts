// The HTTP door for operators: health, metrics and facts of a node, as a `fetch`-style handler that any runtime can serve.

import type { MetricRegistry } from "../../base/metrics.ts";
import type { Settings } from "../../base/settings.ts";
import { LEVELS, parseLevel } from "../../ring/levels.ts";
import { describeCluster, describeRing, type RingView } from "../../ring/view.ts";
import type { Backend } from "../../store/backend/backend.ts";
import { refuseChange } from "./changes.ts";
import { OPEN_METRICS_TYPE, openMetrics } from "./open-metrics.ts";
import { json, respond, text } from "./responses.ts";

/** Who sent a request, as the runtime knows it. */
export interface HttpClient {
  /** It is a program on this machine. */
  readonly isLocal: boolean;
}

/** Answers a request. It never rejects: what goes wrong is an answer too. */
export type HttpHandler = (request: Request, client: HttpClient) => Promise<Response>;

/** What the door tells of. */
export interface StatsSource {
  /** Whether the node takes no more clients because it is closing. */
  readonly isDraining: () => boolean;
  readonly metrics: MetricRegistry;
  /** The facts that INFO tells, by section, in a form that JSON can hold. */
  readonly info: () => unknown;
  readonly settings: Settings;
  /** The ring that the node is a member of; undefined: it is alone. */
  readonly ring: RingView | undefined;
  /** The server that keeps the data; undefined: the node does. */
  readonly backend?: Pick<Backend, "isUp" | "address" | "error"> | undefined;
}

/**
 * Makes the handler. Any path that is not in PAGES is 404, any method that a page does not have 405, both with a text that says what
 * there is. A request that changes the node is refused (403) unless it comes from this machine or brings the token of the
 * setting statsToken.
 */
export function statsHandler(source: StatsSource): HttpHandler {
  return async (request, client) => {
    const { pathname } = new URL(request.url);
    const page = findPage(pathname);
    if (page === undefined) {
      return text(404, `There is nothing at ${pathname}; there are ${PATHS.join(", ")}.\n`);
    }
    const { methods, answer } = page;
    if (!methods.includes(request.method)) {
      const all = methods.join(", ");
      const names = methods.join(" and ");
      const refusal = text(405, `${pathname} answers ${names}, not ${request.method}.\n`);
      refusal.headers.set("allow", all);
      return refusal;
    }
    if (methods === CHANGE) {
      const reason = refuseChange(request, client, source.settings.get("statsToken"));
      if (reason !== undefined) return text(403, `${reason}\n`);
    }
    try {
      return answer(source, pathname.split("/").slice(2));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return text(500, `${pathname} could not be made: ${reason}\n`);
    }
  };
}

interface Page {
  readonly path: string;
  readonly methods: readonly string[];
  /** `words`: what the path has in the place of each part in braces. */
  readonly answer: (source: StatsSource, words: readonly string[]) => Response;
}

/** Methods of a page that tells, and of one that changes the node. */
const TELL = ["GET", "HEAD"];
const CHANGE = ["POST"];

const PAGES: readonly Page[] = [
  {
    path: "/healthz",
    methods: TELL,
    answer: ({ isDraining }) => (isDraining() ? text(503, "draining\n") : text(200, "ok\n")),
  },
  { path: "/readyz", methods: TELL, answer: readiness },
  {
    path: "/metrics",
    methods: TELL,
    answer: ({ metrics }) => respond(200, OPEN_METRICS_TYPE, openMetrics(metrics)),
  },
  { path: "/info", methods: TELL, answer: ({ info }) => json(info()) },
  { path: "/ring", methods: TELL, answer: ofRing((ring) => json(describeRing(ring))) },
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
];

const PATHS = PAGES.map(({ path }) => path);

/** The page at a path; a part in braces stands for any one word. */
function findPage(pathname: string): Page | undefined {
  const words = pathname.split("/");
  return PAGES.find(({ path }) => {
    const parts = path.split("/");
    return (
      parts.length === words.length &&
      parts.every((part, i) => part === words[i] || (part.startsWith("{") && words[i] !== ""))
    );
  });
}

/** Whether clients are answered: 200, or 503 with the reason. */
function readiness({ isDraining, ring, backend, settings }: StatsSource): Response {
  if (isDraining()) return text(503, "draining\n");
  if (backend?.isUp === false) {
    return text(
      503,
      `no backend: the server at ${backend.address} does not answer (${backend.error.message})\n`,
    );
  }
  if (ring?.refusal !== undefined) return text(503, `${ring.refusal}\n`);
  if (ring?.isFenced === true) {
    return text(
      503,
      "fenced: the node lacks its last state, takes writes, and answers reads from other replicas until it has copied its ranges\n",
    );
  }
  if (ring?.isGathering === true) {
    return text(
      503,
      "gathering: the node has just started, and does not reach most replicas of every range yet\n",
    );
  }
  const levels = [settings.get("readConsistency"), settings.get("writeConsistency")];
  if (ring?.isCutOff === true && levels.some((level) => level !== "dc_one")) {
    return text(
      503,
      "cut off: the node reaches a quorum of the replicas of no range, and requests at its levels fail\n",
    );
  }
  return text(200, "ready\n");
}

/** A page that only members of a ring have. */
function ofRing(
  answer: (ring: RingView, source: StatsSource, words: readonly string[]) => Response,
): Page["answer"] {
  return (source, words) =>
    source.ring === undefined
      ? text(404, "This node is no member of a ring: start it with --tokens.\n")
      : answer(source.ring, source, words);
}

/** The answer of the C engine. */
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
    return text(400, `Nothing was changed: write /set_consistency/<read|write>/<${levels}>.\n`);
  }
  const setting = operation === "read" ? "readConsistency" : "writeConsistency";
  settings.set(setting, level.toLowerCase() as Lowercase<typeof level>);
  return text(200, consistencyText(settings));
}
