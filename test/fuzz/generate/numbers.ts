/** Numbers as text, the awkward ones included. */
import type { Random } from "../random.ts";

/** Around every limit that a parser has, and not quite numbers. */
const AWKWARD = [
  "",
  "-",
  "+",
  "?",
  "0",
  "-0",
  "+0",
  "00",
  "01",
  "007",
  "-1",
  "-2",
  "+1",
  "1 ",
  " 1",
  "1x",
  "x",
  "1.0",
  "1e1",
  "10",
  "11",
  "12",
  "250",
  "251",
  "255",
  "256",
  "16384",
  "16385",
  "65535",
  "65536",
  "1048576",
  "1048577",
  "16777216",
  "16777217",
  "536870912",
  "536870913",
  "2147483645",
  "2147483646",
  "2147483647",
  "2147483648",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "-9007199254740991",
  "-9007199254740992",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775809",
  "18446744073709551615",
  "18446744073709551616",
  "99999999999999999999999",
  "000000000000000000000",
];

export function awkwardNumber(random: Random): string {
  return random.pick(AWKWARD);
}

/** `value`, or once in `oneIn` times something awkward. */
export function numberOr(random: Random, value: number | bigint, oneIn: number): string {
  return random.oneIn(oneIn) ? awkwardNumber(random) : String(value);
}

/** An integer of any size. */
export function anyInteger(random: Random): string {
  switch (random.below(4)) {
    case 0:
      return String(random.below(10));
    case 1:
      return String(random.u32() - 0x80000000);
    case 2:
      return String((BigInt(random.u32() - 0x80000000) << 32n) | BigInt(random.u32()));
    default:
      return awkwardNumber(random);
  }
}
