// The HTTP door for operators: health, metrics and facts of a node, as a `fetch`-style handler that any runtime can serve.

import type { MetricRegistry } from "../../base/metrics.ts";
import { OPEN_METRICS_TYPE, openMetrics } from "./open-metrics.ts";

/** Answers a request. It never rejects: what goes wrong is an answer too. */
export type HttpHandler = (request: Request) => Promise<Response>;

/** What the door tells of. */
export interface StatsSource {
  /** Whether the node takes no more clients because it is closing. */
  readonly isDraining: () => boolean;
  readonly metrics: MetricRegistry;
  /** The facts that INFO tells, by section, in a form that JSON can hold. */
  readonly info: () => unknown;
}

/**
 * Makes the handler. `GET /healthz`: 200 `ok`, or 503 `draining`. `GET /metrics`: OpenMetrics text. `GET /info`: JSON with what
 * the INFO command tells. Any other path is 404, any other method 405, both with a text that says what there is.
 */
export function statsHandler(source: StatsSource): HttpHandler {
  return async (request) => {
    const { pathname } = new URL(request.url);
    const page = PAGES[pathname];
    if (page === undefined) {
      return text(404, `There is nothing at ${pathname}; there are ${PATHS.join(", ")}.\n`);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      const answer = text(405, `${pathname} answers GET and HEAD, not ${request.method}.\n`);
      answer.headers.set("allow", "GET, HEAD");
      return answer;
    }
    try {
      return page(source);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return text(500, `${pathname} could not be made: ${reason}\n`);
    }
  };
}

const PAGES: Readonly<Record<string, (source: StatsSource) => Response>> = {
  "/healthz": (source) => (source.isDraining() ? text(503, "draining\n") : text(200, "ok\n")),
  "/metrics": (source) => respond(200, OPEN_METRICS_TYPE, openMetrics(source.metrics)),
  "/info": (source) =>
    respond(200, "application/json", `${JSON.stringify(source.info(), undefined, 2)}\n`),
};

const PATHS = Object.keys(PAGES);

function text(status: number, body: string): Response {
  return respond(status, "text/plain; charset=utf-8", body);
}

function respond(status: number, type: string, body: string): Response {
  const headers = {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  return new Response(body, { status, headers });
}
