// Writes a metric registry as OpenMetrics 1.0 text (https://github.com/OpenObservability/OpenMetrics, section 3).

import { LATENCY_BOUNDS_SECONDS } from "../../base/histogram.ts";
import type { HistogramSample, MetricFamily, MetricRegistry, Sample } from "../../base/metrics.ts";

export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** The registry's families as they are now, with their descriptions, ended by `# EOF`. */
export function openMetrics(registry: MetricRegistry): string {
  const lines: string[] = [];
  for (const family of registry) writeFamily(lines, family);
  lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function writeFamily(lines: string[], family: MetricFamily): void {
  const { name, type } = family;
  lines.push(`# TYPE ${name} ${type}`);
  if (type !== "info" && family.unit !== undefined) lines.push(`# UNIT ${name} ${family.unit}`);
  lines.push(`# HELP ${name} ${escapeText(family.help)}`);
  if (family.type === "histogram") {
    for (const sample of family.read()) writeHistogram(lines, name, sample);
    return;
  }
  const read = family.read();
  const samples: readonly Sample[] = typeof read === "number" ? [{ value: read }] : read;
  for (const { labels, value } of samples) {
    lines.push(`${name}${SAMPLE_ENDINGS[family.type]}${writeLabels(labels)} ${writeNumber(value)}`);
  }
}

/** A histogram's buckets count what is at most their bound, so each holds those before it too. */
function writeHistogram(lines: string[], name: string, sample: HistogramSample): void {
  const { labels = {}, counts } = sample;
  let total = 0;
  for (const [i, count] of counts.cells.entries()) {
    total += count;
    const bound = writeBound(LATENCY_BOUNDS_SECONDS[i] ?? Number.POSITIVE_INFINITY);
    lines.push(`${name}_bucket${writeLabels({ ...labels, le: bound })} ${total}`);
  }
  lines.push(`${name}_count${writeLabels(labels)} ${total}`);
  lines.push(`${name}_sum${writeLabels(labels)} ${writeNumber(counts.sumSeconds)}`);
}

/** Bounds are canonical floats: with a point, without superfluous digits. */
function writeBound(bound: number): string {
  const text = writeNumber(bound);
  return /^\d+$/.test(text) ? `${text}.0` : text;
}

const SAMPLE_ENDINGS = { counter: "_total", gauge: "", info: "_info" } as const;

function writeLabels(labels: Sample["labels"] = {}): string {
  const written = Object.entries(labels).map(([name, value]) => `${name}="${escapeText(value)}"`);
  return written.length === 0 ? "" : `{${written.join(",")}}`;
}

function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function writeNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
