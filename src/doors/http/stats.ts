// The HTTP door for operators: health, metrics and facts of a node, as a `fetch`-style handler that any runtime can serve.

import { describeRing } from "../../ring/view.ts";
import { refuseChange } from "./changes.ts";
import { ENGINE_PAGES } from "./engine-pages.ts";
import { OPEN_METRICS_TYPE, openMetrics } from "./open-metrics.ts";
import { CHANGE, ofRing, type Page, type StatsSource, TELL } from "./page.ts";
import { json, respond, text } from "./responses.ts";

/** Who sent a request, as the runtime knows it. */
export interface HttpClient {
  /** It is a program on this machine. */
  readonly isLocal: boolean;
}

/** Answers a request. It never rejects: what goes wrong is an answer too. */
export type HttpHandler = (request: Request, client: HttpClient) => Promise<Response>;

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
  ...ENGINE_PAGES,
  { path: "/help", methods: TELL, answer: () => text(200, `${PATHS.join("\n")}\n`) },
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
function readiness({ isDraining, ring, backend, state, settings }: StatsSource): Response {
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
  if (state.name !== "normal") return text(503, `${state.refusal(false)}\n`);
  return text(200, "ready\n");
}
