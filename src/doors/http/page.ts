// A page of the HTTP door: where it is, who may ask for it, and what it is made of.

import type { Logger } from "../../base/logger.ts";
import type { MetricRegistry } from "../../base/metrics.ts";
import type { Settings } from "../../base/settings.ts";
import type { LinkHub } from "../../link/hub.ts";
import type { RingView } from "../../ring/view.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { ServingState } from "../serving-state.ts";
import { text } from "./responses.ts";
import type { TimeoutFactor } from "./timeout-factor.ts";

/** What the door tells of, and changes. */
export interface StatsSource {
  /** Whether the node takes no more clients because it is closing. */
  readonly isDraining: () => boolean;
  readonly metrics: MetricRegistry;
  /** The facts that INFO tells, by section, in a form that JSON can hold. */
  readonly info: () => unknown;
  readonly settings: Settings;
  /** The ring that the node is a member of; undefined: it is alone. */
  readonly ring: RingView | undefined;
  /** The links to the other members; undefined for a node that is alone. */
  readonly links?: Pick<LinkHub, "hold" | "release" | "reset"> | undefined;
  /** The server that keeps the data; undefined: the node does. */
  readonly backend?: Pick<Backend, "isUp" | "address" | "error"> | undefined;
  readonly state: ServingState;
  readonly timeoutFactor: TimeoutFactor;
  readonly log: Logger;
}

export interface Page {
  /** A part in braces stands for any one word. */
  readonly path: string;
  readonly methods: readonly string[];
  /** `words`: what the path has in the place of each part in braces, and behind the first part. */
  readonly answer: (source: StatsSource, words: readonly string[]) => Response;
}

/** Methods of a page that tells, and of one that changes the node; tools of the C engine change by GET. */
export const TELL: readonly string[] = ["GET", "HEAD"];
export const CHANGE: readonly string[] = ["GET", "POST"];

/** A page that only members of a ring have. */
export function ofRing(
  answer: (ring: RingView, source: StatsSource, words: readonly string[]) => Response,
): Page["answer"] {
  return (source, words) =>
    source.ring === undefined
      ? text(404, "This node is no member of a ring: start it with --tokens.\n")
      : answer(source.ring, source, words);
}
