// The values that a command line and the environment give for flags, and reading them as what they should be.

import { type HostPort, parseHostPort } from "../base/host-port.ts";
import { type Flag, variableOf } from "./flags.ts";

/** The command line or a variable is not understood; the message is one line that says what to do. */
export class UsageError extends Error {}

/** A value and the flag or variable that it stands in. */
export interface Given {
  readonly from: string;
  readonly value: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What was given for the flags of one command. A flag wins over its variable; an empty variable counts as not set. */
export class GivenFlags {
  readonly #flags: ReadonlyMap<string, readonly string[]>;
  readonly #environment: Environment;

  constructor(flags: ReadonlyMap<string, readonly string[]>, environment: Environment) {
    this.#flags = flags;
    this.#environment = environment;
  }

  /** Each value of a flag; none where it was not given. */
  all({ name, flagOnly }: Flag): Given[] {
    const values = this.#flags.get(name);
    if (values !== undefined) return values.map((value) => ({ from: `--${name}`, value }));
    const variable = flagOnly === true ? undefined : this.variable(variableOf(name));
    return variable === undefined ? [] : [variable];
  }

  /** The value of a flag that counts: the last one. */
  last(flag: Flag): Given | undefined {
    return this.all(flag).at(-1);
  }

  /** The value of a flag, or its default. */
  lastOrDefault(flag: Flag): Given {
    return this.last(flag) ?? { from: `--${flag.name}`, value: flag.default };
  }

  /** The value of an environment variable that is set. */
  variable(name: string): Given | undefined {
    const value = this.#environment[name];
    return value === undefined || value === "" ? undefined : { from: name, value };
  }
}

export function readHostPort({ from, value }: Given): HostPort {
  const address = parseHostPort(value);
  if (address !== undefined) return address;
  throw new UsageError(`${from} cannot be ${quote(value)}: give host:port, as in 127.0.0.1:8102`);
}

export function readChoice<Choice extends string>(
  { from, value }: Given,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((known) => known === value);
  if (choice !== undefined) return choice;
  throw new UsageError(`${from} cannot be ${quote(value)}: give one of ${choices.join(", ")}`);
}

export function readNumber({ from, value }: Given, min: number, max: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(
    `${from} cannot be ${quote(value)}: give a whole number from ${min} to ${max}`,
  );
}

/** The value as the user wrote it, on one line. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
