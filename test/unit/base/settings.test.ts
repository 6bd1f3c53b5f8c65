// The table of settings, and the settings of a node.
import { describe, expect, it } from "vitest";
import { CLIENT_SETTINGS } from "../../../src/base/client-settings.ts";
import { DATA_SETTINGS } from "../../../src/base/data-settings.ts";
import { LINK_SETTINGS } from "../../../src/base/link-settings.ts";
import { RING_SETTINGS } from "../../../src/base/ring-settings.ts";
import { formatSetting, parseBytes, type Setting } from "../../../src/base/setting.ts";
import { SETTINGS, settingNames } from "../../../src/base/setting-table.ts";
import { parseSetting, SettingError, Settings } from "../../../src/base/settings.ts";
import {
  DEFAULT_CEILING_BYTES,
  DEFAULT_MAX_BULK_BYTES,
} from "../../../src/store/embedded-store.ts";
import { POLICIES } from "../../../src/store/kernel.ts";
import { DEFAULT_HASH_LIMITS } from "../../../src/store/objects/hash.ts";

describe("the table", () => {
  it("has a sentence for each setting, and a default that it allows itself", () => {
    for (const name of settingNames) {
      const setting: Setting = SETTINGS[name];
      expect([name, setting.description]).toEqual([name, expect.stringMatching(/^[A-Z].*[.)]$/)]);
      expect(parseSetting(name, formatSetting(setting.default))).toBe(setting.default);
    }
  });

  it("has no two rows of one name", () => {
    const files = [CLIENT_SETTINGS, DATA_SETTINGS, RING_SETTINGS, LINK_SETTINGS];
    expect(files.flatMap((rows) => Object.keys(rows))).toEqual(settingNames);
  });

  it("names no flag and no parameter of Redis twice", () => {
    const all: readonly Setting[] = settingNames.map((name) => SETTINGS[name]);
    const flags = all.flatMap(({ flag }) => flag ?? []);
    const redisNames = all.flatMap((setting) => setting.redisNames ?? []);
    expect(new Set(flags).size).toBe(flags.length);
    expect(new Set(redisNames).size).toBe(redisNames.length);
  });

  it("agrees with the store", () => {
    expect(SETTINGS.ceilingBytes.default).toBe(DEFAULT_CEILING_BYTES);
    expect(SETTINGS.maxBulkBytes.default).toBe(DEFAULT_MAX_BULK_BYTES);
    expect(SETTINGS.maxMemoryPolicy.choices).toEqual(Object.keys(POLICIES));
    expect(SETTINGS.hashListpackEntries.default).toBe(DEFAULT_HASH_LIMITS.entries);
    expect(SETTINGS.hashListpackValueBytes.default).toBe(DEFAULT_HASH_LIMITS.valueBytes);
  });
});

describe("a text", () => {
  it.each<[string, number | undefined]>([
    ["0", 0],
    ["1234", 1234],
    ["10b", 10],
    ["1k", 1000],
    ["1kb", 1024],
    ["2M", 2_000_000],
    ["2Mb", 2_097_152],
    ["1g", 1_000_000_000],
    ["4GB", 4_294_967_296],
    ["", undefined],
    ["-1", undefined],
    ["1.5mb", undefined],
    ["1tb", undefined],
    ["kb", undefined],
    ["1 kb", undefined],
    ["9999999999gb", undefined],
  ])("%j is so many bytes: %j", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it("becomes the value of its setting, or an error that says what is wrong", () => {
    expect(parseSetting("maxMemoryBytes", "1gb")).toBe(1_073_741_824);
    expect(parseSetting("maxMemoryPolicy", "AllKeys-LRU")).toBe("allkeys-lru");
    expect(parseSetting("protectedMode", "No")).toBe(false);
    expect(parseSetting("password", " as it is ")).toBe(" as it is ");
    const reason = (read: () => unknown) => {
      try {
        return read();
      } catch (error) {
        expect(error).toBeInstanceOf(SettingError);
        expect((error as SettingError).code).toBe("BAD_SETTING");
        return (error as SettingError).reason;
      }
    };
    expect(reason(() => parseSetting("maxMemoryBytes", "lots"))).toBe(
      "argument must be a memory value",
    );
    expect(reason(() => parseSetting("maxClients", "1e3"))).toBe(
      "argument couldn't be parsed into an integer",
    );
    expect(reason(() => parseSetting("maxClients", "0"))).toBe(
      "argument must be between 1 and 1000000 inclusive",
    );
    expect(reason(() => parseSetting("protectedMode", "1"))).toBe("argument must be 'yes' or 'no'");
    expect(reason(() => parseSetting("maxMemoryPolicy", "lru"))).toMatch(
      /^argument\(s\) must be one of the following: noeviction, allkeys-lru/,
    );
  });
});

describe("the settings of a node", () => {
  it("are the defaults, but for what was given", () => {
    const settings = new Settings({ maxClients: 5 });
    expect(settings.get("maxClients")).toBe(5);
    expect(settings.get("idleTimeoutSeconds")).toBe(0);
    expect(() => new Settings({ maxClients: 0 })).toThrow(SettingError);
    expect(() => new Settings({ maxClients: 1.5 })).toThrow(SettingError);
    expect(() => new Settings({ maxMemoryPolicy: "lru" as "noeviction" })).toThrow(SettingError);
  });

  it("tell listeners of every change", () => {
    const settings = new Settings();
    const heard: number[] = [];
    settings.onChange("maxClients", (value) => heard.push(value));
    settings.set("maxClients", 7);
    settings.setAll({ maxClients: 8, idleTimeoutSeconds: 1 });
    expect(heard).toEqual([7, 8]);
  });

  it("change all together or not at all", () => {
    const settings = new Settings();
    const heard: number[] = [];
    settings.onChange("maxClients", (value) => heard.push(value));
    expect(() => settings.setAll({ maxClients: 7, idleTimeoutSeconds: -1 })).toThrow(SettingError);
    expect(heard).toEqual([]);
    settings.onChange("idleTimeoutSeconds", (value) => {
      if (value === 9) throw new Error("cannot be done");
    });
    expect(() => settings.setAll({ maxClients: 7, idleTimeoutSeconds: 9 })).toThrow(
      "cannot be done",
    );
    expect(heard).toEqual([7, 10_000]);
    expect(settings.get("maxClients")).toBe(10_000);
    expect(settings.get("idleTimeoutSeconds")).toBe(0);
  });

  it("that are fixed at the start do not change later", () => {
    expect(() => new Settings().set("ceilingBytes", 20 * 1024 * 1024)).toThrow(
      "it can only be set when the node starts",
    );
  });
});
