/** Every setting of a node. The flags of the command line, the environment, CONFIG GET and SET, and the docs all come from here. */
import { CLIENT_SETTINGS } from "./client-settings.ts";
import { DATA_SETTINGS } from "./data-settings.ts";
import { LINK_SETTINGS } from "./link-settings.ts";
import { RING_SETTINGS } from "./ring-settings.ts";

/** All settings by name. */
export const SETTINGS = {
  ...CLIENT_SETTINGS,
  ...DATA_SETTINGS,
  ...RING_SETTINGS,
  ...LINK_SETTINGS,
} as const;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S> = S extends { type: "choice"; choices: readonly (infer C)[] }
  ? C
  : S extends { type: "text" }
    ? string
    : S extends { type: "boolean" }
      ? boolean
      : number;

/** The type of each setting's value. */
export type SettingValues = { readonly [N in SettingName]: ValueOf<(typeof SETTINGS)[N]> };

/** Names of all settings, in the order of the table. */
export const settingNames = Object.keys(SETTINGS) as readonly SettingName[];
