/** The values of the settings of one node, and how they are read from text. */
import { RingletError } from "./errors.ts";
import { parseBytes, type Setting } from "./setting.ts";
import { SETTINGS, type SettingName, type SettingValues, settingNames } from "./setting-table.ts";

type MutableValues = { -readonly [N in SettingName]: SettingValues[N] };

/** A setting that cannot have the value asked for; nothing was changed. Code BAD_SETTING. */
export class SettingError extends RingletError {
  readonly setting: SettingName;
  /** What is wrong with the value, without the setting's name. */
  readonly reason: string;

  constructor(setting: SettingName, reason: string) {
    super("BAD_SETTING", `${setting}: ${reason}`);
    this.setting = setting;
    this.reason = reason;
  }
}

/** The settings of one node. Listeners hear of every change, after it. */
export class Settings {
  readonly #values: MutableValues;
  readonly #listeners = new Map<SettingName, ((value: never) => void)[]>();

  /** `initial`: what differs from the defaults. Throws SettingError. */
  constructor(initial: Partial<SettingValues> = {}) {
    const values: Record<string, unknown> = {};
    for (const name of settingNames) {
      const value = initial[name] ?? SETTINGS[name].default;
      checkSetting(name, value);
      values[name] = value;
    }
    this.#values = values as MutableValues;
  }

  get<N extends SettingName>(name: N): SettingValues[N] {
    return this.#values[name];
  }

  /** Changes one setting. Throws SettingError when the value is out of bounds, or would change what is fixed at the start. */
  set<N extends SettingName>(name: N, value: SettingValues[N]): void {
    this.setAll({ [name]: value } as Partial<SettingValues>);
  }

  /**
   * Changes several settings, all or none: a value that is out of bounds, or a listener that throws, leaves everything as it was
   * (listeners that had heard of the change hear of its undoing).
   */
  setAll(changes: Partial<SettingValues>): void {
    const names = Object.keys(changes) as SettingName[];
    for (const name of names) {
      checkSetting(name, changes[name]);
      if (!SETTINGS[name].atRunTime && changes[name] !== this.#values[name]) {
        throw new SettingError(name, "it can only be set when the node starts");
      }
    }
    const before = { ...this.#values };
    const changed: SettingName[] = [];
    try {
      for (const name of names) {
        changed.push(name);
        this.#change(name, changes[name]!);
      }
    } catch (error) {
      for (const name of changed.reverse()) this.#change(name, before[name]);
      throw error;
    }
  }

  /** Calls `listener` with the new value after each change of a setting. */
  onChange<N extends SettingName>(name: N, listener: (value: SettingValues[N]) => void): void {
    const listeners = this.#listeners.get(name) ?? [];
    listeners.push(listener);
    this.#listeners.set(name, listeners);
  }

  #change(name: SettingName, value: SettingValues[SettingName]): void {
    (this.#values as Record<SettingName, unknown>)[name] = value;
    for (const listener of this.#listeners.get(name) ?? []) listener(value as never);
  }
}

/** Reads a setting from text, as a flag or CONFIG SET gives it. Throws SettingError. */
export function parseSetting<N extends SettingName>(name: N, text: string): SettingValues[N] {
  const value = parseText(name, text);
  checkSetting(name, value);
  return value as SettingValues[N];
}

function parseText(name: SettingName, text: string): string | number | boolean {
  const setting: Setting = SETTINGS[name];
  switch (setting.type) {
    case "bytes": {
      const bytes = parseBytes(text);
      if (bytes === undefined) throw new SettingError(name, "argument must be a memory value");
      return bytes;
    }
    case "integer": {
      if (!/^-?\d{1,15}$/.test(text)) {
        throw new SettingError(name, "argument couldn't be parsed into an integer");
      }
      return Number(text);
    }
    case "boolean": {
      const word = text.toLowerCase();
      if (word === "yes") return true;
      if (word === "no") return false;
      throw new SettingError(name, "argument must be 'yes' or 'no'");
    }
    case "choice":
      return text.toLowerCase();
    case "text":
      return text;
  }
}

function checkSetting(name: SettingName, value: unknown): void {
  const setting: Setting = SETTINGS[name];
  switch (setting.type) {
    case "bytes":
    case "integer":
      if (
        typeof value !== "number" ||
        !Number.isInteger(value) ||
        value < setting.min ||
        value > setting.max
      ) {
        throw new SettingError(
          name,
          `argument must be between ${setting.min} and ${setting.max} inclusive`,
        );
      }
      return;
    case "choice":
      if (typeof value !== "string" || !setting.choices.includes(value)) {
        throw new SettingError(
          name,
          `argument(s) must be one of the following: ${setting.choices.join(", ")}`,
        );
      }
      return;
    case "boolean":
      if (typeof value !== "boolean") throw new SettingError(name, "argument must be a boolean");
      return;
    case "text":
      if (typeof value !== "string") throw new SettingError(name, "argument must be text");
      return;
  }
}
