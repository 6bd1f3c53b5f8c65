// What a section of INFO is.

import type { CommandHost } from "../../session-command.ts";

export interface Section {
  /** As its heading; clients ask for it in any case. */
  readonly title: string;
  /** Whether INFO shows it when no section is named. */
  readonly byDefault: boolean;
  lines(host: CommandHost): readonly Line[];
}

/** Name and value. */
export type Line = readonly [name: string, value: string | number];

/** Bytes for people: "1.50M". */
export function humanBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "K", "M", "G"]) {
    if (value < 1024) return unit === "B" ? `${value}B` : `${value.toFixed(2)}${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(2)}T`;
}
