// The flags of `npm run bench`.

import { parseArgs } from "node:util";

/** The parts of a run, in order. */
export const SECTIONS = [
  "throughput",
  "memory",
  "pause",
  "ring",
  "hop",
  "proxy",
  "memcached",
  "ring-kernel",
  "resp",
  "hash",
  "aes",
] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface BenchOptions {
  readonly sections: readonly SectionName[];
  /** Interleaved repetitions of each measurement of throughput. */
  readonly repetitions: number;
  /** Repetitions with servers started afresh, for memory and pauses. */
  readonly fills: number;
  /** Length of one measurement of throughput. */
  readonly runMs: number;
  readonly valueBytes: readonly number[];
  readonly pipelines: readonly number[];
  /** Keys of the fill during which pauses are looked for. */
  readonly pauseKeys: number;
  /** Whether there is to be less of everything. */
  readonly quick: boolean;
  /** Whether everything is measured as the published results are. */
  readonly full: boolean;
}

/** The command line is not understood; the message says what is. */
export class BenchUsageError extends Error {}

export const USAGE = `npm run bench -- [flags]
  --quick                 less of everything: under 5 minutes instead of under 70
  --only <names>          of ${SECTIONS.join(", ")}; several with commas
  --reps <number>         interleaved repetitions, 7 by default
  --sizes <bytes>         value sizes of a node alone: 3,100,1024,16384 by default
  --pipelines <numbers>   pipelines, of a ring and of a proxy too: 1,16,128 by default
A run without flags writes bench/RESULTS.md, any other build/RESULTS.md.
`;

export function readOptions(args: readonly string[]): BenchOptions | "help" {
  const values = parse(args);
  if (values.help) return "help";
  const { only, reps, sizes, pipelines, quick = false } = values;
  const repetitions = reps === undefined ? (quick ? 3 : 7) : wholeNumber("reps", reps);
  const partial = [only, reps, sizes, pipelines].some((value) => value !== undefined);
  return {
    sections: only === undefined ? SECTIONS : only.split(",").map(sectionName),
    repetitions,
    fills: Math.min(repetitions, quick ? 1 : 3),
    runMs: quick ? 1100 : 2500,
    valueBytes: wholeNumbers("sizes", sizes ?? (quick ? "3,1024" : "3,100,1024,16384")),
    pipelines: wholeNumbers("pipelines", pipelines ?? "1,16,128"),
    pauseKeys: quick ? 1_000_000 : 5_000_000,
    quick,
    full: !quick && !partial,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        quick: { type: "boolean" },
        only: { type: "string" },
        reps: { type: "string" },
        sizes: { type: "string" },
        pipelines: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new BenchUsageError(`${(error as Error).message.split(".")[0]}\n${USAGE}`);
  }
}

function sectionName(name: string): SectionName {
  const found = SECTIONS.find((known) => known === name);
  if (found !== undefined) return found;
  throw new BenchUsageError(`--only: no benchmark ${name}; there are ${SECTIONS.join(", ")}`);
}

function wholeNumbers(flag: string, text: string): number[] {
  return text.split(",").map((part) => wholeNumber(flag, part));
}

function wholeNumber(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new BenchUsageError(`--${flag} cannot be ${text}: give whole numbers above 0`);
}
