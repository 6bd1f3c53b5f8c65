// Opens a connection to a Redis server behind a node: gives the password, chooses protocol and database, and hears that it answers.

import { concat } from "../../codec/concat.ts";
import type { RespReplyFace } from "../../codec/resp-reply.ts";
import type { RespRequestFace } from "../../codec/resp-request.ts";
import type { RespValue } from "../../codec/resp-value.ts";
import { collect } from "./collect.ts";
import type { BackendConnection } from "./connection.ts";
import { BackendError } from "./failure.ts";

/** What a connection is to be like. */
export interface ConnectionKind {
  readonly protocol: 2 | 3;
  readonly database: number;
  readonly password: string | undefined;
}

export type OpeningCodec = Pick<RespReplyFace, "parseReplies" | "writeReply"> &
  Pick<RespRequestFace, "parseRequests" | "writeRequest">;

interface Step {
  readonly request: readonly (string | number)[];
  /** Why the server cannot be used, from the text of its error; undefined: it can all the same. */
  readonly refusal: (error: string) => string | undefined;
}

/** Prepares a connection that has just been made. Rejects with BackendError BACKEND_REFUSED or that of the connection. */
export async function prepare(
  connection: BackendConnection,
  kind: ConnectionKind,
  codec: OpeningCodec,
): Promise<void> {
  const steps = stepsOf(kind);
  const requests = steps.map(({ request }) => codec.writeRequest(request));
  const bytes = await collect(connection, requests.length, concat(requests), (said) =>
    said.startsWith("-") ? said.slice(1) : undefined,
  );
  const { values } = codec.parseReplies(bytes);
  for (const [i, { refusal }] of steps.entries()) {
    const value = values[i]!;
    const reason = isError(value) ? refusal(textOf(value)) : undefined;
    if (reason === undefined) continue;
    const error = new BackendError("BACKEND_REFUSED", reason);
    connection.close(error);
    throw error;
  }
  const id = values[steps.length - 2]!;
  if (id.type === "integer") connection.serverId = Number(id.value);
}

function stepsOf({ protocol, database, password }: ConnectionKind): Step[] {
  const steps: Step[] = [];
  if (password !== undefined) {
    steps.push({
      request: ["AUTH", password],
      refusal: (error) =>
        /no password is set|without any password configured/.test(error)
          ? undefined
          : `the server refuses the password of redis_requirepass: ${error}`,
    });
  }
  if (protocol === 3) {
    const refusal = (error: string) => `the server does not speak protocol 3: ${error}`;
    steps.push({ request: ["HELLO", 3], refusal });
  }
  if (database !== 0) {
    const refusal = (error: string) => `database ${database}: ${error}`;
    steps.push({ request: ["SELECT", database], refusal });
  }
  steps.push({ request: ["CLIENT", "ID"], refusal: refusalOf });
  steps.push({ request: ["PING"], refusal: refusalOf });
  return steps;
}

/** A server that is loading, busy or without its master says so to clients itself. */
function refusalOf(error: string): string | undefined {
  if (error.startsWith("NOAUTH")) {
    return "the server wants a password: set redis_requirepass in the configuration file";
  }
  if (/^DENIED|^ERR max number of clients/.test(error)) return `the server says: ${error}`;
  return undefined;
}

function isError(value: RespValue): boolean {
  return value.type === "error" || value.type === "bulk-error";
}

function textOf(value: RespValue): string {
  const text = "text" in value ? value.text : "bytes" in value ? value.bytes : "";
  return typeof text === "string" ? text : new TextDecoder().decode(text as Uint8Array);
}
