// A strict reader of OpenMetrics 1.0 text, after the specification's ABNF and its rules on families: it accepts nothing
// that a scraper could stumble over, and throws with the line.

export interface ParsedFamily {
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly samples: ParsedSample[];
}

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const METRIC_NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const ESCAPED = String.raw`(?:[^\n"\\]|\\[^\n])*`;
const LABEL = `[a-zA-Z_][a-zA-Z0-9_]*="${ESCAPED}"`;
const NUMBER = String.raw`[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?[iI][nN][fF](?:inity)?|[nN][aA][nN]`;

const DESCRIPTOR = new RegExp(
  `^# (?:(TYPE|HELP) (${METRIC_NAME}) (${ESCAPED})|(UNIT) (${METRIC_NAME}) ([a-zA-Z0-9_:]*))$`,
);
const SAMPLE = new RegExp(
  String.raw`^(${METRIC_NAME})(\{(?:${LABEL}(?:,${LABEL})*)?\})? (${NUMBER})$`,
);

/** Endings that the samples of each type must have. Summaries are not among ours. */
const SAMPLE_ENDINGS: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total", "_created"],
  gauge: [""],
  info: ["_info"],
  unknown: [""],
  histogram: ["_bucket", "_count", "_sum", "_created"],
};

/** Parses a whole exposition. Throws where it breaks the grammar or a rule on families. */
export function parseOpenMetrics(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith("# EOF\n")) throw new Error("the text does not end with # EOF");
  const families = new Map<string, ParsedFamily>();
  const lines = text.slice(0, -"# EOF\n".length).split("\n");
  if (lines.pop() !== "") throw new Error("the line before # EOF has no end");
  let current: { name: string; facts: Map<string, string>; samples: ParsedSample[] } | undefined;
  const finish = () => {
    if (current === undefined) return;
    families.set(current.name, checkFamily(current.name, current.facts, current.samples));
    current = undefined;
  };
  for (const [index, line] of lines.entries()) {
    const fail = (reason: string) => new Error(`line ${index + 1}: ${reason}: ${line}`);
    const descriptor = DESCRIPTOR.exec(line);
    if (descriptor !== null) {
      const keyword = descriptor[1] ?? descriptor[4]!;
      const name = descriptor[2] ?? descriptor[5]!;
      if (current?.name !== name) finish();
      if (families.has(name)) throw fail("the family has been described before");
      current ??= { name, facts: new Map(), samples: [] };
      if (current.samples.length > 0) throw fail("a descriptor behind samples");
      if (current.facts.has(keyword)) throw fail(`a second ${keyword}`);
      current.facts.set(keyword, descriptor[3] ?? descriptor[6]!);
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) throw fail("neither a descriptor nor a sample");
    if (current === undefined) throw fail("a sample without a described family");
    const [, name, labels, value] = sample;
    const endings = SAMPLE_ENDINGS[current.facts.get("TYPE") ?? "unknown"] ?? [];
    if (!endings.some((ending) => name === current!.name + ending)) {
      throw fail("the sample's name does not fit its family");
    }
    current.samples.push({ name: name!, labels: parseLabels(labels), value: parseNumber(value!) });
  }
  finish();
  return families;
}

function checkFamily(
  name: string,
  facts: ReadonlyMap<string, string>,
  samples: ParsedSample[],
): ParsedFamily {
  const type = facts.get("TYPE") ?? "unknown";
  const unit = facts.get("UNIT") ?? "";
  if (!(type in SAMPLE_ENDINGS)) throw new Error(`${name}: the type ${type} is not known`);
  if (unit !== "" && !name.endsWith(`_${unit}`)) throw new Error(`${name}: lacks its unit ${unit}`);
  if (unit !== "" && type === "info") throw new Error(`${name}: an info has no unit`);
  const seen = new Set<string>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (seen.has(key)) throw new Error(`${name}: the sample ${key} is there twice`);
    seen.add(key);
    if (type === "counter" && !(sample.value >= 0)) throw new Error(`${name}: a negative counter`);
    if (type === "info" && sample.value !== 1) throw new Error(`${name}: an info other than 1`);
  }
  if (type === "histogram") checkHistogram(name, samples);
  return { type, unit, help: unescaped(facts.get("HELP") ?? ""), samples };
}

/** Each set of labels must have ascending buckets up to +Inf that never fall, a count that is the last of them, and a sum. */
function checkHistogram(name: string, samples: readonly ParsedSample[]): void {
  const metrics = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    metrics.set(key, [...(metrics.get(key) ?? []), sample]);
  }
  for (const [key, metric] of metrics) {
    const fail = (reason: string) => new Error(`${name}: ${reason}: ${key}`);
    const buckets = metric.filter((sample) => sample.name === `${name}_bucket`);
    let before = { bound: Number.NEGATIVE_INFINITY, value: 0 };
    for (const { labels, value } of buckets) {
      const { le = "" } = labels;
      if (!/^(\d+\.\d+|\d+(\.\d+)?e[+-]?\d+|\+Inf)$/.test(le)) throw fail(`the bound ${le}`);
      const bound = parseNumber(le);
      if (!(bound > before.bound)) throw fail("bounds that do not ascend");
      if (!(value >= before.value)) throw fail("buckets that fall");
      before = { bound, value };
    }
    if (before.bound !== Number.POSITIVE_INFINITY) throw fail("no bucket for +Inf");
    const only = (ending: string) =>
      metric.filter((sample) => sample.name === name + ending).map(({ value }) => value);
    const [counts, sums] = [only("_count"), only("_sum")];
    if (counts.length !== 1 || counts[0] !== before.value) throw fail("a count that is not +Inf's");
    if (sums.length !== 1) throw fail("no sum");
  }
}

function parseLabels(text = "{}"): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(new RegExp(`([^{,="]+)="(${ESCAPED})"`, "g"))) {
    if (name! in labels) throw new Error(`the label ${name} is there twice: ${text}`);
    labels[name!] = unescaped(value!);
  }
  return labels;
}

function parseNumber(text: string): number {
  const infinity = /^([+-]?)inf/i.exec(text);
  if (infinity !== null) return infinity[1] === "-" ? -Infinity : Infinity;
  return Number(/^nan$/i.test(text) ? "NaN" : text);
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
}
