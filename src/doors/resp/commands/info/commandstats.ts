// INFO commandstats and errorstats: a line for each command that was called, and for each code word of an error. All are
// those of the kernel and the host, but for the time: the kernel does not measure it, so it is the host's.

import type { CatalogueRow } from "../../catalogue.ts";
import type { CommandHost } from "../../session-command.ts";
import type { Line, Section } from "./section.ts";

export const commandstats: Section = {
  title: "Commandstats",
  byDefault: false,
  lines: (host) => [...host.table.allRows()].flatMap((row) => lineOf(host, row)),
};

function lineOf({ statistics }: CommandHost, { fullName, counters, kernelNumber }: CatalogueRow) {
  const kernel = statistics.kernelCounts(kernelNumber);
  const calls = counters.calls.sinceReset + kernel.calls;
  const rejected = counters.rejected.sinceReset + kernel.rejected;
  if (calls === 0 && rejected === 0) return [];
  const microseconds = Math.round(counters.microseconds.sinceReset);
  const perCall = calls === 0 ? 0 : microseconds / calls;
  const failed = counters.failed.sinceReset + kernel.failed;
  const value = `calls=${calls},usec=${microseconds},usec_per_call=${perCall.toFixed(2)},rejected_calls=${rejected},failed_calls=${failed}`;
  const line: Line = [`cmdstat_${fullName}`, value];
  return [line];
}

export const errorstats: Section = {
  title: "Errorstats",
  byDefault: true,
  lines: ({ statistics }) =>
    [...statistics.errors("reset")].map(([code, count]) => [`errorstat_${code}`, `count=${count}`]),
};
