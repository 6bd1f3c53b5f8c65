// The memcached protocol has no password, so a node that has one does not speak it.

import { SettingError, type Settings } from "../../base/settings.ts";

/** Refuses a password, now and later. `servedBy`: what was asked for that lets memcached clients in. Throws SettingError. */
export function holdPasswordRule(settings: Settings, servedBy: string): void {
  const check = (password: string): void => {
    if (password === "") return;
    throw new SettingError(
      "password",
      `memcached clients cannot send one, and ${servedBy} would let them pass it by: leave out --requirepass or ${servedBy}`,
    );
  };
  check(settings.get("password"));
  settings.onChange("password", check);
}
