// SIGHUP: reads the configuration file again, applies what can change while the node runs, and says what needs a restart.

import { RingletError } from "../base/errors.ts";
import { SETTINGS, type SettingName, type SettingValues } from "../base/setting-table.ts";
import type { Settings } from "../base/settings.ts";
import type { ConfiguredEntry } from "../conf/configuration.ts";
import { KEYS, settingOf } from "../conf/keys.ts";
import { ConfFileError } from "./conf-file.ts";
import { UsageError } from "./given.ts";
import type { LevelledLog } from "./log.ts";
import type { ServedConfFile, ServeOptions } from "./serve-options.ts";

type Change =
  | { readonly kind: "setting"; readonly name: SettingName }
  | { readonly kind: "log-level" | "overridden" | "restart" };

/** The configuration file of a node that runs. */
export class Reload {
  readonly #log: LevelledLog;
  readonly #readAgain: () => ServeOptions;
  /** What the node runs with, by key: as in the file that it started with, but for what has been applied since. */
  readonly #running: Map<string, ConfiguredEntry>;
  /** Those of the node; undefined until it runs. */
  #settings: Settings | undefined;
  #asked = false;

  /** Listens for SIGHUP from now on, and warns of what the file has in vain. */
  constructor(file: ServedConfFile, log: LevelledLog) {
    this.#log = log;
    this.#readAgain = file.readAgain;
    this.#running = new Map(file.configuration.entries);
    this.#warn(file);
    process.on("SIGHUP", () => {
      if (this.#settings === undefined) this.#asked = true;
      else this.#run(this.#settings);
    });
  }

  /** The node runs with these settings. */
  begin(settings: Settings): void {
    this.#settings = settings;
    if (this.#asked) this.#run(settings);
  }

  /** Reads the file again. With one that is wrong nothing changes; the log says why. */
  #run(settings: Settings): void {
    const options = this.#read();
    if (options?.confFile === undefined) return;
    const { confFile } = options;
    this.#warn(confFile);
    const { entries } = confFile.configuration;
    const changes = new Map<string, Change>();
    for (const key of new Set([...this.#running.keys(), ...entries.keys()])) {
      if (this.#running.get(key)?.written === entries.get(key)?.written) continue;
      if (!hasEffect(key)) continue;
      changes.set(key, changeOf(key, confFile.overridden));
    }
    if (!this.#apply(options, settings, [...changes.values()])) return;
    for (const [key, change] of changes) {
      this.#say(key, change);
      const entry = entries.get(key);
      if (change.kind === "restart") continue;
      if (entry === undefined) this.#running.delete(key);
      else this.#running.set(key, entry);
    }
    this.#log.info("The configuration file has been read again.", {
      file: confFile.path,
      changes: changes.size,
    });
  }

  #read(): ServeOptions | undefined {
    try {
      return this.#readAgain();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#refuse(error);
      return undefined;
    }
  }

  #refuse(error: Error): void {
    const message = "The configuration file cannot be used, and nothing was changed.";
    if (!(error instanceof ConfFileError)) {
      this.#log.error(message, { reason: error.message });
      return;
    }
    for (const { message: reason, line, column } of error.errors) {
      this.#log.error(message, { file: error.path, line, column, reason });
    }
  }

  /** Applies all that can change, or nothing. */
  #apply(
    { settings: wanted, logLevel }: ServeOptions,
    settings: Settings,
    changes: readonly Change[],
  ): boolean {
    const values: { [N in SettingName]?: SettingValues[SettingName] } = {};
    for (const change of changes) {
      if (change.kind !== "setting") continue;
      values[change.name] = wanted[change.name] ?? SETTINGS[change.name].default;
    }
    try {
      settings.setAll(values as Partial<SettingValues>);
    } catch (error) {
      if (!(error instanceof RingletError)) throw error;
      this.#refuse(error);
      return false;
    }
    if (changes.some(({ kind }) => kind === "log-level")) this.#log.setLevel(logLevel);
    return true;
  }

  #warn({ path, warnings }: ServedConfFile): void {
    for (const { message, line, column, key } of warnings) {
      const fields = { file: path, line, column };
      this.#log.warn(message, key === undefined ? fields : { ...fields, key });
    }
  }

  #say(key: string, { kind }: Change): void {
    switch (kind) {
      case "setting":
      case "log-level":
        this.#log.info("A change of the configuration file is in effect.", { key });
        return;
      case "overridden":
        this.#log.info(
          "A change of the configuration file has no effect: the command line or the environment wins.",
          { key },
        );
        return;
      case "restart":
        this.#log.warn("A change of the configuration file needs a restart.", { key });
        return;
    }
  }
}

function changeOf(key: string, overridden: ReadonlySet<string>): Change {
  if (overridden.has(key)) return { kind: "overridden" };
  if (key === "log_level") return { kind: "log-level" };
  const name = settingOf(key);
  return name !== undefined && SETTINGS[name].atRunTime
    ? { kind: "setting", name }
    : { kind: "restart" };
}

function hasEffect(key: string): boolean {
  return !(Object.hasOwn(KEYS, key) && "noEffect" in KEYS[key as keyof typeof KEYS]);
}
