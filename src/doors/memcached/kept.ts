// What must outlive the bytes that it was read from: requests and outcomes that wait.

import type { MemcachedInvalid, MemcachedRequest } from "../../codec/memcached-message.ts";
import type { ItemOutcome } from "../../store/items.ts";

/** An outcome that stays when the next operation runs. */
export function keptOutcome(outcome: ItemOutcome): ItemOutcome {
  const { item } = outcome;
  return item === undefined
    ? outcome
    : { ...outcome, item: { ...item, value: item.value.slice() } };
}

/** A request whose bytes stay. */
export function keptRequest<T extends MemcachedRequest | MemcachedInvalid>(request: T): T {
  const copy: Record<string, unknown> = { ...request };
  for (const [name, field] of Object.entries(copy)) {
    if (field instanceof Uint8Array) copy[name] = field.slice();
  }
  if ("keys" in request) copy.keys = request.keys.map((key) => key.slice());
  return copy as T;
}
