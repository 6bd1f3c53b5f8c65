// Which policies of eviction a member of a ring may have.
import { describe, expect, it } from "vitest";
import { SETTINGS } from "../../../src/base/setting-table.ts";
import { Settings } from "../../../src/base/settings.ts";
import { holdEvictionRule } from "../../../src/node/eviction-rule.ts";

const EVICTING = SETTINGS.maxMemoryPolicy.choices.filter((policy) => policy !== "noeviction");

describe("a member of a ring", () => {
  it.each(EVICTING)("does not start with %s", (maxMemoryPolicy) => {
    const settings = new Settings({ maxMemoryPolicy });
    expect(() => holdEvictionRule(settings)).toThrow(
      `maxMemoryPolicy: ${maxMemoryPolicy} makes the replicas of a ring differ`,
    );
  });

  it.each(EVICTING)("keeps noeviction when %s is set, with all that was set with it", (policy) => {
    const settings = new Settings();
    holdEvictionRule(settings);
    const changes = { maxMemoryBytes: 5_000_000, maxMemoryPolicy: policy };
    expect(() => settings.setAll(changes)).toThrow("start all members with --cache yes");
    expect(settings.get("maxMemoryPolicy")).toBe("noeviction");
    expect(settings.get("maxMemoryBytes")).toBe(0);
  });

  it.each(EVICTING)("may have %s as a cache", (policy) => {
    const settings = new Settings({ cache: true });
    holdEvictionRule(settings);
    settings.set("maxMemoryPolicy", policy);
    expect(settings.get("maxMemoryPolicy")).toBe(policy);
    expect(() =>
      holdEvictionRule(new Settings({ cache: true, maxMemoryPolicy: policy })),
    ).not.toThrow();
  });
});
