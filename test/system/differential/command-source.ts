/** Random commands, family by family: what a family's file needs to make its own. */

import type { Argument } from "../../unit/store/harness.ts";
import type { RandomSource } from "../../unit/store/random-source.ts";

/** Makes one command after the other, wrong ones among them. `now`: ms since the epoch. */
export type CommandSource = (random: RandomSource, now: number) => Argument[];

/** The keys that commands are about, so few that they meet; the last one holds a hash at the beginning. */
export const KEYS = ["a", "b", "c", "d", "{h}"] as const;
export const HASH_KEY = KEYS[4];

export const anyKey = (random: RandomSource): string => random.pick(KEYS);

/** Texts that are, or nearly are, 64-bit integers. */
const INTEGERS = [
  ...["0", "1", "-1", "2", "-2", "5", "7", "8", "9", "10", "-10", "63", "64", "65", "100", "-100"],
  ...["255", "256", "65535", "2147483647", "-2147483648", "4294967295", "4294967296"],
  ...["9007199254740991", "9007199254740993", "-9007199254740993"],
  ...["9223372036854775807", "-9223372036854775808", "9223372036854775806", "-9223372036854775807"],
  ...[
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
  ],
  ...["99999999999999999999", "-99999999999999999999", "100000000000000000000000"],
  ...["", "-", "+1", "01", "-0", "00", " 1", "1 ", "1.0", "1e2", "0x10", "ten", "1\0", "1\xb2"],
];

/** An integer, often small, sometimes at a limit, sometimes not one. */
export function anyInteger(random: RandomSource): string {
  return random.chance(0.5) ? String(random.below(24) - 6) : random.pick(INTEGERS);
}

/** Text that is, or nearly is, a float. */
export function anyFloat(random: RandomSource): string {
  if (random.chance(0.3)) return random.pick(FLOATS);
  if (random.chance(0.1)) return anyInteger(random);
  const digits = (most: number): string => {
    let text = "";
    for (let i = random.below(most + 1); i > 0; i--) text += random.below(10);
    return text;
  };
  const sign = random.pick(["", "", "-", "+"]);
  const point = random.chance(0.8) ? `.${digits(random.pick([2, 5, 20]))}` : "";
  const power = random.chance(0.2) ? `${random.pick(["e", "E", "e-", "E+"])}${digits(2)}` : "";
  return sign + digits(random.pick([1, 3, 10, 22])) + point + power;
}

const FLOATS = [
  ...["0", "-0", "0.0", "-0.0", ".5", "5.", ".", "-", "+", "", "1e", "1e+", "e5", "1.5e3", "3.0e3"],
  ...["0.1", "0.2", "-0.3", "10.5", "100000.1", "12345678901234567.1", "0.00000000000000001"],
  ...["0.000000000000000005", "0.000000000000000015", "0.000000000000000025", "-1e-18", "1e-30"],
  ...[
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551617",
    "36893488147419103233",
  ],
  ...["9223372036854775807.5", "4611686018427387904.25", "4611686018427387904.75"],
  ...["1e300", "-1e300", "1e4000", "1e4932", "1.189731495357231765e4932", "1.2e4932", "1e5000"],
  ...[
    "1e-4932",
    "1e-4940",
    "3.7e-4951",
    "1.8e-4951",
    "1.9e-4951",
    "1e-4960",
    "1e-99999999999999999999",
  ],
  ...[
    "0e99999999999999999999",
    "1e99999999999999999999",
    "inf",
    "-inf",
    "+INF",
    "infinity",
    "Infinit",
  ],
  ...[
    "nan",
    "-NaN",
    "nan(1)",
    "0x10",
    "0X1P4",
    "0x1p-3",
    "0x.8",
    "0x8.",
    "0x",
    "0x.",
    "0x1p",
    "0xg",
  ],
  ...[
    "0x1p16383",
    "0x1p16384",
    "0x1p-16445",
    "0x1p-16446",
    "0x1.8p-16446",
    "0xffffffffffffffff8p0",
  ],
  ...["0xffffffffffffffff4p-1", "1 ", " 1", "1\0", "1,5", "1_000", "--1", "\xb9"],
];

/** Bytes for a value: short or long, text, a number, or anything. */
export function anyValue(random: RandomSource): string {
  const kind = random.below(10);
  if (kind < 4) return anyInteger(random);
  if (kind < 5) return anyFloat(random);
  if (kind < 6) return random.pick(["", "a", "foobar", "ohmytext", "mynewtext"]);
  if (kind < 8) return letters(random, random.below(30), 3);
  return letters(random, random.below(random.pick([8, 40, 300])), 256);
}

/** `length` bytes, each one of `many`; one character per byte. */
export function letters(random: RandomSource, length: number, many: number): string {
  let text = "";
  const first = many === 256 ? 0 : 97;
  for (let i = 0; i < length; i++) text += String.fromCharCode(first + random.below(many));
  return text;
}

/** The word with letters in upper or lower case. */
export function anyCase(random: RandomSource, word: string): string {
  return random.chance(0.5) ? word : random.chance(0.5) ? word.toUpperCase() : mixed(random, word);
}

function mixed(random: RandomSource, word: string): string {
  return [...word].map((c) => (random.chance(0.5) ? c.toUpperCase() : c)).join("");
}

/** One of the commands of a family, rarely with an argument too few or too many. */
export function fromFamily(
  family: Readonly<Record<string, (random: RandomSource, now: number) => readonly Argument[]>>,
): CommandSource {
  const names = Object.keys(family);
  return (random, now) => {
    const name = random.pick(names);
    const words = [anyCase(random, name), ...family[name]!(random, now)];
    if (random.chance(0.02) && words.length > 1) words.pop();
    if (random.chance(0.02)) words.push(anyInteger(random));
    return words;
  };
}
