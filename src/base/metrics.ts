// The metrics of a node: a registry of families that are read when somebody asks, never pushed. Counting itself stays with
// the part that counts; a family only says how to read it.

import { RingletError } from "./errors.ts";
import type { HistogramCounts } from "./histogram.ts";

/** One value of a family, told apart from its others by its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a family of histograms has for one set of labels. */
export interface HistogramSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly counts: HistogramCounts;
}

interface FamilyFacts {
  /** Snake case, beginning with `ringlet_` and ending with the unit; without the `_total` or `_info` of its samples. */
  readonly name: string;
  /** One sentence for operators. */
  readonly help: string;
}

interface ValueFamily extends FamilyFacts {
  /** Reads the family now: one number, or one sample for each set of labels. */
  readonly read: () => number | readonly Sample[];
}

/** Only grows while the node lives. */
export interface CounterFamily extends ValueFamily {
  readonly type: "counter";
  readonly unit?: MetricUnit;
}

/** Goes up and down. */
export interface GaugeFamily extends ValueFamily {
  readonly type: "gauge";
  readonly unit?: MetricUnit;
}

/** Facts that are text: the labels carry them, the value is 1. */
export interface InfoFamily extends ValueFamily {
  readonly type: "info";
}

/** Durations, counted by size (base/histogram.ts). */
export interface HistogramFamily extends FamilyFacts {
  readonly type: "histogram";
  readonly unit: "seconds";
  readonly read: () => readonly HistogramSample[];
}

export type MetricFamily = CounterFamily | GaugeFamily | InfoFamily | HistogramFamily;

export type MetricUnit = "seconds" | "bytes";

const FAMILY_NAME = /^ringlet(_[a-z0-9]+)+$/;

/** The families of one node, in the order in which they were added. */
export class MetricRegistry {
  readonly #families = new Map<string, MetricFamily>();

  /** Adds a family. Throws RingletError BAD_METRIC when its name is taken or does not keep the rules. */
  add(family: MetricFamily): void {
    const { name } = family;
    const unit = family.type === "info" ? undefined : family.unit;
    if (!FAMILY_NAME.test(name)) throw badMetric(name, "is not snake case behind ringlet_");
    if (/_(total|info|created|bucket|count|sum)$/.test(name))
      throw badMetric(name, "ends as only a sample may");
    if (unit !== undefined && !name.endsWith(`_${unit}`)) throw badMetric(name, `lacks _${unit}`);
    if (this.#families.has(name)) throw badMetric(name, "is there already");
    this.#families.set(name, family);
  }

  [Symbol.iterator](): Iterator<MetricFamily> {
    return this.#families.values();
  }
}

function badMetric(name: string, reason: string): RingletError {
  return new RingletError("BAD_METRIC", `metric family ${name} ${reason}`);
}
