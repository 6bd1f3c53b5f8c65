// Asks a running node over its HTTP door.

import { formatHostPort, type HostPort } from "../base/host-port.ts";
import type { RingDescription } from "../ring/view.ts";
import { ANSWER_PATIENCE_MS, type HttpAnswer, httpGet } from "./http-get.ts";

/** The node gave no answer that helps; the message is one line that says what to do. */
export class CannotAskError extends Error {}

/** The ring as the node at this HTTP address sees it. Throws CannotAskError. */
export async function askRing(stats: HostPort): Promise<RingDescription> {
  const at = formatHostPort(stats);
  let answer: HttpAnswer;
  try {
    answer = await httpGet(stats, "/ring");
  } catch (error) {
    throw new CannotAskError(
      `no node answers at http://${at} (${reasonOf(error)}): start one with --stats-listen ${at}, or say where it is with --stats <host:port>`,
      { cause: error },
    );
  }
  const { status, body } = answer;
  if (status === 404 && body.includes("member of a ring")) {
    throw new CannotAskError(`the node at http://${at} has no ring to tell of: ${body.trim()}`);
  }
  const description = status === 200 ? parse(body) : undefined;
  if (description === undefined) {
    throw new CannotAskError(
      `what answers at http://${at} is no Ringlet node: say where one is with --stats <host:port>`,
    );
  }
  return description;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") {
    return `nothing came for ${ANSWER_PATIENCE_MS / 1000} seconds`;
  }
  const { code } = error as { code?: string };
  return code === "ECONNREFUSED" ? "nothing listens there" : (code ?? error.message);
}

function parse(body: string): RingDescription | undefined {
  try {
    const page = JSON.parse(body) as Partial<RingDescription> | null;
    return Array.isArray(page?.members) && typeof page.self === "number"
      ? (page as RingDescription)
      : undefined;
  } catch {
    return undefined;
  }
}
