/** Typed capabilities: what two builds may have in common, advertised as bytes, agreed on for each link by itself. */

import { RingletError } from "../base/errors.ts";
import type { CapabilityEntry } from "../codec/capabilities.ts";

/** Something that a build can do in one or several ways. */
export interface Capability<Value> {
  /** ASCII, and never used again for another meaning. */
  readonly name: string;
  /** At least one, lowest preference first. The first is the floor: what holds where nothing is agreed on. */
  readonly supportedValues: readonly Value[];
  /**
   * The best of the values that both support, undefined where there is none. Both sides must come to the same one: the order of values
   * belongs to the capability, not to a build.
   */
  merge(peer: readonly Value[]): Value | undefined;
  encode(value: Value): Uint8Array;
  /** Undefined for bytes that are no value; they are passed over. */
  decode(bytes: Uint8Array): Value | undefined;
}

/** What was agreed on, on one link. */
export interface AgreedCapabilities {
  /** The value of a capability that this build has; its floor where the peer's values had none in common. */
  get<Value>(capability: Capability<Value>): Value;
  /** The value by name; undefined for a capability that this build does not have. */
  value(name: string): unknown;
}

/** The capabilities of one build. */
export class CapabilityRegistry {
  readonly #capabilities = new Map<string, Capability<unknown>>();

  /** Throws RingletError BAD_CAPABILITY for two of the same name, or one without values. */
  constructor(capabilities: readonly Capability<unknown>[]) {
    for (const capability of capabilities) {
      const { name, supportedValues } = capability;
      if (this.#capabilities.has(name)) throw badCapability(name, "is registered twice");
      if (supportedValues.length === 0) throw badCapability(name, "supports no value");
      this.#capabilities.set(name, capability);
    }
  }

  /** What to advertise: sorted by name, the values of each as it orders them. */
  advertisement(): CapabilityEntry[] {
    return [...this.#capabilities.values()]
      .map((capability) => ({
        name: capability.name,
        values: capability.supportedValues.map((value) => capability.encode(value)),
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Agrees with what a peer advertises. Names that this build does not have change nothing; of a name given twice the first counts. */
  agree(peer: readonly CapabilityEntry[]): AgreedCapabilities {
    const values = new Map<string, unknown>();
    for (const capability of this.#capabilities.values()) {
      const entry = peer.find(({ name }) => name === capability.name);
      values.set(capability.name, agreeOn(capability, entry?.values ?? []));
    }
    return {
      get: <Value>(capability: Capability<Value>) => values.get(capability.name) as Value,
      value: (name) => values.get(name),
    };
  }
}

function agreeOn<Value>(capability: Capability<Value>, bytes: readonly Uint8Array[]): Value {
  const peer: Value[] = [];
  for (const one of bytes) {
    const value = capability.decode(one);
    if (value !== undefined) peer.push(value);
  }
  return capability.merge(peer) ?? capability.supportedValues[0]!;
}

function badCapability(name: string, reason: string): RingletError {
  return new RingletError("BAD_CAPABILITY", `the capability ${name} ${reason}`);
}
