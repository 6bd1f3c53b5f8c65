// Gets a page of a node's HTTP door. Not by fetch(), which refuses some ports.

import { get } from "node:http";
import type { HostPort } from "../base/host-port.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** How long an answer may take, in ms. */
export const ANSWER_PATIENCE_MS = 5000;

/** Resolves to the answer; rejects with the error of the connection, or TimeoutError. */
export function httpGet({ host, port }: HostPort, path: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_PATIENCE_MS);
    const request = get({ host, port, path, signal, agent: false }, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (text: string) => {
        body += text;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.on("error", reject);
    });
    request.on("error", (error) => reject(signal.aborted ? signal.reason : error));
  });
}
