/** What a setting is: its type, default, bounds and names, and how its value is written as text. */

export const KIB = 1024;
export const MIB = 1024 * KIB;
/** Largest number that is exact. */
export const MOST = Number.MAX_SAFE_INTEGER;

interface SettingFacts {
  /** What it does, for the help text and the docs. */
  readonly description: string;
  /** Name of the flag (`--maxmemory`) and, in upper case behind RINGLET_, of the environment variable; none: not set there. */
  readonly flag?: string;
  /** Its key in the configuration file, where that is not the flag's name with _ for -. */
  readonly confKey?: string;
  /** Names in CONFIG GET and CONFIG SET, the first being the proper one; none: the flag's name. */
  readonly redisNames?: readonly string[];
  /** Whether it can change while the node runs. */
  readonly atRunTime: boolean;
}

/** A number of bytes; its text may end in a unit: k, m, g (powers of 1000), kb, mb, gb (powers of 1024). */
export interface BytesSetting extends SettingFacts {
  readonly type: "bytes";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** A whole number of `unit`. */
export interface IntegerSetting extends SettingFacts {
  readonly type: "integer";
  readonly unit: "ms" | "s" | "";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface TextSetting extends SettingFacts {
  readonly type: "text";
  readonly default: string;
  /** Never shown in logs. */
  readonly secret: boolean;
}

/** "yes" or "no". */
export interface BooleanSetting extends SettingFacts {
  readonly type: "boolean";
  readonly default: boolean;
}

export interface ChoiceSetting extends SettingFacts {
  readonly type: "choice";
  readonly default: string;
  readonly choices: readonly string[];
}

export type Setting = BytesSetting | IntegerSetting | TextSetting | BooleanSetting | ChoiceSetting;

/** The key of a setting in the configuration file; undefined: it has none. */
export function confKeyOf({ confKey, flag }: Setting): string | undefined {
  return confKey ?? flag?.replaceAll("-", "_");
}

/** What a setting takes, for an error message: "give …". */
export function wantedBy(setting: Setting): string {
  switch (setting.type) {
    case "bytes":
      return `a number of bytes from ${setting.min} to ${setting.max}, with a unit if you like, as in 100mb`;
    case "integer":
      return `a whole number from ${setting.min} to ${setting.max}`;
    case "boolean":
      return "yes or no";
    case "choice":
      return `one of ${setting.choices.join(", ")}`;
    case "text":
      return "text";
  }
}

/** A setting as text: what CONFIG GET says, and parseSetting() reads. */
export function formatSetting(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

/** Bytes that a text like "100mb" names; undefined when it is no such text. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,16})([a-z]*)$/i.exec(text);
  if (match === null) return undefined;
  const unit = BYTE_UNITS[match[2]!.toLowerCase()];
  if (unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return bytes <= MOST ? bytes : undefined;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: KIB,
  m: 1000 * 1000,
  mb: MIB,
  g: 1000 * 1000 * 1000,
  gb: 1024 * MIB,
};
