// The example of a configuration file: it has every key, and what is commented out in it is right too.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SETTINGS, type SettingName } from "../../../src/base/setting-table.ts";
import { readConfiguration } from "../../../src/conf/configuration.ts";
import { keyNames, settingOf } from "../../../src/conf/keys.ts";

const EXAMPLE = readFileSync(new URL("../../../examples/ringlet.yml", import.meta.url), "utf8");

/** The key of a line that has one, commented out or not. */
const KEY = /^ {2}(?:# )?(\w+):(?: |$)/;

const keys = EXAMPLE.split("\n").flatMap((line) => KEY.exec(line)?.[1] ?? []);

/** The example with a key in force that is commented out, with its list. */
function withKey(key: string): string {
  const lines = EXAMPLE.split("\n").filter(
    (line) => KEY.exec(line)?.[1] !== key || line.startsWith("  #"),
  );
  const at = lines.findIndex((line) => KEY.exec(line)?.[1] === key);
  lines[at] = lines[at]!.replace("# ", "");
  for (let i = at + 1; /^ {2}# {3}- /.test(lines[i]!); i++) lines[i] = lines[i]!.replace("# ", "");
  return lines.join("\n");
}

describe("the example of a configuration file", () => {
  it("is right, and gives no warning", () => {
    expect(readConfiguration(EXAMPLE).diagnostics).toEqual([]);
  });

  it("has every key once", () => {
    expect(keys.toSorted()).toEqual(keyNames().toSorted());
  });

  it.each(keys.filter((key) => EXAMPLE.includes(`\n  # ${key}:`)))(
    "is right with %s in force",
    (key) => {
      const { configuration, diagnostics } = readConfiguration(withKey(key));
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      expect(errors).toEqual([]);
      expect(configuration!.entries.has(key)).toBe(true);
    },
  );

  it("shows the defaults of the settings", () => {
    const secrets: readonly SettingName[] = ["password", "statsToken"];
    for (const key of keys) {
      const name = settingOf(key);
      if (name === undefined || secrets.includes(name)) continue;
      expect([key, readConfiguration(withKey(key)).configuration!.settings[name]]).toEqual([
        key,
        SETTINGS[name].default,
      ]);
    }
  });
});
