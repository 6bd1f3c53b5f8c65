// What a node answers its clients: everything, or less while an operator prepares or ends a maintenance. The states are those of the
// C engine's page /state. They are about clients alone: the node goes on as a replica for the other members.

/** normal: all commands. standby: none on keys. writes_only, resuming: those on keys that write. */
export const SERVING_STATES = ["normal", "standby", "writes_only", "resuming"] as const;

export type ServingStateName = (typeof SERVING_STATES)[number];

export class ServingState {
  readonly #listeners: ((state: ServingStateName) => void)[] = [];
  #name: ServingStateName = "normal";

  get name(): ServingStateName {
    return this.#name;
  }

  set(name: ServingStateName): void {
    this.#name = name;
    for (const listener of this.#listeners) listener(name);
  }

  /** Calls `listener` with the new state after each change. */
  onChange(listener: (state: ServingStateName) => void): void {
    this.#listeners.push(listener);
  }

  /** Why a command on keys may not run now, as an error without its code; undefined: it may. */
  refusal(writes: boolean): string | undefined {
    if (this.#name === "normal" || (writes && this.#name !== "standby")) return undefined;
    return `Dynomite: Dynomite's current state does not allow this request (${this.#name}: an operator has set it, and /state/normal of the node's HTTP address ends it)`;
  }
}
