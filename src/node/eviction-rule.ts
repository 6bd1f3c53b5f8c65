/** Members of a ring evict only where their operators have said that the ring is a cache. */
import type { SettingValues } from "../base/setting-table.ts";
import { SettingError, type Settings } from "../base/settings.ts";

/**
 * Refuses every maxMemoryPolicy that evicts, now and later, unless the setting `cache` is on: replicas evict different keys, so that
 * one holds what another has not. Throws SettingError.
 */
export function holdEvictionRule(settings: Settings): void {
  const check = (policy: SettingValues["maxMemoryPolicy"]): void => {
    if (policy === "noeviction" || settings.get("cache")) return;
    throw new SettingError(
      "maxMemoryPolicy",
      `${policy} makes the replicas of a ring differ: start all members with --cache yes if the ring is a cache, or use noeviction`,
    );
  };
  check(settings.get("maxMemoryPolicy"));
  settings.onChange("maxMemoryPolicy", check);
}
