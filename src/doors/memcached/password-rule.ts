// The memcached protocol has no password, so a node that has one does not speak it.

import { SettingError, type Settings } from "../../base/settings.ts";

/** Refuses a password, now and later. Throws SettingError. */
export function holdPasswordRule(settings: Settings): void {
  const check = (password: string): void => {
    if (password === "") return;
    throw new SettingError(
      "password",
      "memcached clients cannot send one, and --memcached-listen would let them pass it by: leave out --requirepass or --memcached-listen",
    );
  };
  check(settings.get("password"));
  settings.onChange("password", check);
}
