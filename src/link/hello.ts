/**
 * What each side of a link says of itself, as JSON:
 *
 *   { "who": "dialler" | "acceptor", "nonce": 64 hex digits, "secured": whether it has a cluster secret,
 *     "boot": [wall clock of its start in ms, 16 hex digits], "attempt": number of its dial (acceptor: 0), "facts": HelloFacts }
 */
import { toHex } from "../base/hex.ts";
import { parseObject } from "./frame.ts";
import type { HelloFacts } from "./link.ts";

export type LinkRole = "dialler" | "acceptor";

/** One run of a process: newer than another where it began later. */
export interface Boot {
  readonly startedAt: number;
  readonly id: string;
}

export interface Hello {
  readonly who: LinkRole;
  readonly nonce: Uint8Array;
  readonly secured: boolean;
  readonly boot: Boot;
  readonly attempt: number;
  readonly facts: HelloFacts;
}

/** Bytes of a nonce in a hello. */
export const HELLO_NONCE_BYTES = 32;
/** Bytes of the identity of a boot. */
export const BOOT_ID_BYTES = 8;

export function encodeHello(hello: Hello): Uint8Array {
  const { nonce, boot } = hello;
  const wire = { ...hello, nonce: toHex(nonce), boot: [boot.startedAt, boot.id] };
  return new TextEncoder().encode(JSON.stringify(wire));
}

/** Undefined for bytes that are no hello. Members that this build does not know are passed over. */
export function decodeHello(body: Uint8Array): Hello | undefined {
  const wire = parseObject(body);
  if (wire === undefined) return undefined;
  const { who, secured, attempt } = wire;
  const nonce = fromHex(wire.nonce, HELLO_NONCE_BYTES);
  const boot = bootOf(wire.boot);
  const facts = factsOf(wire.facts);
  if (who !== "dialler" && who !== "acceptor") return undefined;
  if (nonce === undefined || boot === undefined || facts === undefined) return undefined;
  if (typeof secured !== "boolean" || !isCount(attempt)) return undefined;
  return { who, nonce, secured, boot, attempt, facts };
}

export function isSameBoot(one: Boot, other: Boot): boolean {
  return one.startedAt === other.startedAt && one.id === other.id;
}

export function isNewerBoot(one: Boot, other: Boot): boolean {
  if (one.startedAt !== other.startedAt) return one.startedAt > other.startedAt;
  return one.id > other.id;
}

function fromHex(text: unknown, length: number): Uint8Array | undefined {
  if (typeof text !== "string" || text.length !== 2 * length) return undefined;
  if (!/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from({ length }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

function bootOf(value: unknown): Boot | undefined {
  if (!Array.isArray(value)) return undefined;
  const [startedAt, id] = value as unknown[];
  if (!isCount(startedAt) || fromHex(id, BOOT_ID_BYTES) === undefined) return undefined;
  return { startedAt, id: id as string };
}

function factsOf(value: unknown): HelloFacts | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { cluster, datacenter, rack, tokens, epoch, now, state } = value as Record<string, unknown>;
  if (!isText(cluster) || !isText(datacenter) || !isText(rack) || !isText(epoch)) return undefined;
  if (!Array.isArray(tokens) || !tokens.every(isText)) return undefined;
  if (typeof now !== "number" || !Number.isFinite(now)) return undefined;
  if (typeof state !== "object" || state === null || Array.isArray(state)) return undefined;
  return { cluster, datacenter, rack, tokens, epoch, now, state: state as HelloFacts["state"] };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
