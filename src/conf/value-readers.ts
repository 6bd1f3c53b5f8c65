// Reading the value of one key as what it should be. A reader returns undefined for a value that it refuses, having said why, and
// for one that counts as not set.

import { RingletError } from "../base/errors.ts";
import { formatHostPort, type HostPort, parseHostPort } from "../base/host-port.ts";
import { type Setting, wantedBy } from "../base/setting.ts";
import { SETTINGS, type SettingName, type SettingValues } from "../base/setting-table.ts";
import { parseSetting, SettingError } from "../base/settings.ts";
import { parseSeed, type Seed, shown, splitTokens } from "../ring/seed.ts";
import { checkName } from "../ring/topology.ts";
import type { UnixSocket } from "../store/backend-options.ts";
import type { Findings, Position } from "./diagnostic.ts";
import type { Value } from "./document.ts";

/** The key whose value is read, and where what is wrong with it is said. */
export interface Reading {
  readonly key: string;
  readonly findings: Findings;
}

export type Reader<T> = (value: Value, reading: Reading) => T | undefined;

/** A text and where it stands. */
export interface Placed {
  readonly at: Position;
  readonly text: string;
}

/** Any one value. */
export function text(): Reader<string> {
  return (value, reading) => textOf(value, reading)?.text;
}

/** A whole number of the C engine, to which 0 means "not set". */
export function count(bounds: {
  readonly min?: number;
  readonly max: number;
  readonly multipleOf?: number;
}): Reader<number> {
  const { min = 1, max, multipleOf = 1 } = bounds;
  const wanted = `a whole number from ${min} to ${max}${multipleOf === 1 ? "" : `, a multiple of ${multipleOf}`}, or 0 for the default`;
  return (value, reading) => {
    const found = textOf(value, reading);
    if (found === undefined) return undefined;
    const number = /^\d{1,15}$/.test(found.text) ? Number(found.text) : Number.NaN;
    if (number === 0) return undefined;
    if (number >= min && number <= max && number % multipleOf === 0) return number;
    return refuse(found, reading, wanted);
  };
}

/** true or false, as the C engine has it; yes and no too. */
export function truth(): Reader<boolean> {
  return (value, reading) => {
    const found = textOf(value, reading);
    if (found === undefined) return undefined;
    const truth = truthOf(found.text);
    return truth ?? refuse(found, reading, "true or false");
  };
}

/** One of the choices, with _ or - in it. What is `ignored` is accepted too, with a warning that says what holds instead. */
export function choice<Choice extends string>(
  choices: readonly Choice[],
  ignored:
    | { readonly names: readonly string[]; readonly instead: NoInfer<Choice> }
    | undefined = undefined,
): Reader<Choice> {
  return (value, reading) => {
    const found = textOf(value, reading);
    if (found === undefined) return undefined;
    const underscored = found.text.replaceAll("-", "_");
    const known = choices.find((name) => name === underscored);
    if (known !== undefined) return known;
    if (ignored?.names.includes(found.text) === true) {
      const { key, findings } = reading;
      findings.warn(
        found.at,
        key,
        `${key} has no effect: the C engine ignores ${found.text}, and ${ignored.instead} holds`,
      );
      return ignored.instead;
    }
    return refuse(found, reading, `one of ${choices.join(", ")}`);
  };
}

/** One of several words, each of which stands for a value. */
export function word<T>(meanings: Readonly<Record<string, T>>): Reader<T> {
  return (value, reading) => {
    const found = textOf(value, reading);
    if (found === undefined) return undefined;
    if (Object.hasOwn(meanings, found.text)) return meanings[found.text];
    return refuse(found, reading, `one of ${Object.keys(meanings).join(", ")}`);
  };
}

/** An address to listen on or to dial. */
export function address(): Reader<HostPort> {
  return (value, reading) => {
    const found = textOf(value, reading);
    return found === undefined ? undefined : addressOf(found, reading);
  };
}

/** An address to listen on, or `off`. */
export function addressOrOff(): Reader<HostPort | "off"> {
  return (value, reading) => {
    const found = textOf(value, reading);
    if (found === undefined) return undefined;
    return found.text === "off" ? "off" : addressOf(found, reading, ", or off");
  };
}

/** Two characters that open and close a part of a key. */
export function hashTag(): Reader<string> {
  return (value, reading) => {
    if (value.kind === "mapping") {
      const { key, findings } = reading;
      findings.error(
        value.at,
        key,
        `${key} must be in quotes, as in ${key}: '{}': without them YAML takes braces for a mapping`,
      );
      return undefined;
    }
    const found = textOf(value, reading);
    if (found === undefined || /^[\x21-\x7e]{2}$/.test(found.text)) return found?.text;
    return refuse(found, reading, "exactly two ASCII characters, as in '{}'");
  };
}

/** The name of a cluster, datacenter or rack. */
export function name(what: string): Reader<string> {
  return (value, reading) => {
    const found = textOf(value, reading);
    if (found === undefined) return undefined;
    return orRefused(found, reading, () => checkName(what, found.text));
  };
}

/** Tokens in one text, separated by commas, or in a list. They are checked when the hash function is known. */
export function tokens(): Reader<readonly Placed[]> {
  return (value, reading) => {
    const texts = value.kind === "list" ? textsOf(value, reading) : [textOf(value, reading)];
    return texts.flatMap((found) =>
      found === undefined
        ? []
        : splitTokens(found.text).map((token) => ({ at: found.at, text: token })),
    );
  };
}

/** A seed as written, and what it says. */
export interface PlacedSeed extends Placed {
  readonly seed: Seed;
}

/** A list of members. Their tokens are checked when the hash function is known. */
export function seeds(): Reader<readonly PlacedSeed[]> {
  return (value, reading) =>
    textsOf(value, reading).flatMap((found) => {
      const seed = orRefused(found, reading, () => {
        const seed = parseSeed(found.text);
        checkName("rack", seed.rack);
        checkName("datacenter", seed.datacenter);
        return seed;
      });
      return seed === undefined ? [] : [{ ...found, seed }];
    });
}

/** A list of texts. */
export function texts(): Reader<readonly Placed[]> {
  return textsOf;
}

/** The server behind a node: where it is and what it is called. */
export interface PlacedServer {
  readonly at: Position;
  readonly address: HostPort | UnixSocket;
  readonly name: string;
}

/** A list of one `host:port:weight [name]` or `/path:weight [name]`; the weight counts for nothing. */
export function server(): Reader<PlacedServer> {
  return (value, reading) => {
    const found = textsOf(value, reading);
    const [first, second] = found;
    if (second !== undefined) {
      const { key, findings } = reading;
      findings.error(
        second.at,
        key,
        `${key} must name exactly one server, and names ${found.length}: remove the others`,
      );
    }
    return first === undefined ? undefined : serverOf(first, reading);
  };
}

/** A setting of the node. */
export function setting<Name extends SettingName>(settingName: Name): Reader<SettingValues[Name]> {
  const facts: Setting = SETTINGS[settingName];
  return (value, reading) => {
    const found = textOf(value, reading);
    if (found === undefined) return undefined;
    const truth = facts.type === "boolean" ? truthOf(found.text) : undefined;
    try {
      return parseSetting(
        settingName,
        truth === undefined ? found.text.trim() : truth ? "yes" : "no",
      );
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      return refuse(found, reading, wantedBy(facts));
    }
  };
}

/** A setting for which the C engine takes 0 for "not set". */
export function countSetting<Name extends SettingName>(
  settingName: Name,
): Reader<SettingValues[Name]> {
  const read = setting(settingName);
  return (value, reading) =>
    value.kind === "text" && /^0+$/.test(value.text) ? undefined : read(value, reading);
}

function truthOf(text: string): boolean | undefined {
  switch (text.toLowerCase()) {
    case "true":
    case "yes":
      return true;
    case "false":
    case "no":
      return false;
    default:
      return undefined;
  }
}

function addressOf(found: Placed, reading: Reading, also = ""): HostPort | undefined {
  const address = parseHostPort(found.text);
  if (address !== undefined && address.port > 0) return address;
  if (found.text.startsWith("/")) {
    const { key, findings } = reading;
    findings.error(
      found.at,
      key,
      `${key} cannot be a Unix socket in this version: give host:port, as in 127.0.0.1:8102${also}`,
    );
    return undefined;
  }
  return refuse(
    found,
    reading,
    `host:port, as in 127.0.0.1:8102, with a port from 1 to 65535${also}`,
  );
}

/** The C engine reads these from the right, so that an IPv6 address needs no brackets. */
const SERVER = /^(?<path>\/.*):\d+$|^(?<host>\[[^\]\s]+\]|[^\s[\]/]+):(?<port>\d{1,5}):\d+$/;

function serverOf(found: Placed, reading: Reading): PlacedServer | undefined {
  const [head = "", ...names] = found.text.trim().split(/\s+/);
  const { path, host, port } = SERVER.exec(head)?.groups ?? {};
  const name = names[0];
  if (names.length <= 1 && path !== undefined) {
    return { at: found.at, address: { path }, name: name ?? path };
  }
  const number = Number(port);
  if (names.length > 1 || host === undefined || number < 1 || number > 65_535) {
    return refuse(
      found,
      reading,
      "host:port:weight, as in 127.0.0.1:6379:1, or /path:weight, and a name behind a space if you like",
    );
  }
  const address = { host: host.replace(/^\[|\]$/g, ""), port: number };
  return { at: found.at, address, name: name ?? formatHostPort(address) };
}

/** The text of a value that must be one. */
function textOf(value: Value, { key, findings }: Reading): Placed | undefined {
  switch (value.kind) {
    case "text":
      return value;
    case "refused":
      return undefined;
    case "nothing":
      findings.error(value.at, key, `${key} has no value: give it one, or remove it`);
      return undefined;
    case "list":
      findings.error(value.at, key, `${key} cannot be a list: give one value, without - or [ ]`);
      return undefined;
    case "mapping":
      findings.error(
        value.at,
        key,
        `${key} cannot have keys of its own: give one value, in quotes if it begins with { or [`,
      );
      return undefined;
  }
}

function textsOf(value: Value, reading: Reading): Placed[] {
  if (value.kind === "refused") return [];
  if (value.kind !== "list") {
    const { key, findings } = reading;
    findings.error(
      value.at,
      key,
      `${key} must be a list: give each value on a line of its own below it, behind - and a space`,
    );
    return [];
  }
  return value.items.flatMap((item) => textOf(item, reading) ?? []);
}

function refuse(found: Placed, { key, findings }: Reading, wanted: string): undefined {
  findings.error(found.at, key, `${key} cannot be ${shown(found.text)}: give ${wanted}`);
  return undefined;
}

/** What `read` returns; an error that it throws is said with the key. */
function orRefused<T>(found: Placed, { key, findings }: Reading, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RingletError)) throw error;
    findings.error(found.at, key, `${key}: ${error.message}`);
    return undefined;
  }
}
