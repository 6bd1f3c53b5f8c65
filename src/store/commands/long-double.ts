// The arithmetic of INCRBYFLOAT and HINCRBYFLOAT: floats of 80 bits (the x87 extended format, 64 bits of mantissa), because
// Redis computes in the C type `long double` and shows 17 decimals of the result. Parsing, adding and formatting round to nearest,
// ties to even, so that results are those of Redis on x86-64 to the last digit.

/** mantissa × 2^exponent; infinite when the exponent is. Zero has no sign. */
export interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

export const ZERO: LongDouble = { mantissa: 0n, exponent: 0 };

const MANTISSA_BITS = 64;
/** Exponent of the smallest number, which has one bit of mantissa. */
const MIN_EXPONENT = -16445;
/** Finite numbers are below 2 to this. */
const MAX_BITS = 16384;
/** Powers of ten and of two that are surely out of range, however many digits stand before them. */
const FAR_POWER_OF_TEN = 11_000;
const FAR_POWER_OF_TWO = 60_000;
const DECIMALS = 17;

const DECIMAL = /^([+-]?)(?:([0-9]+)\.?([0-9]*)|\.([0-9]+))(?:e([+-]?[0-9]+))?$/i;
const HEXADECIMAL = /^([+-]?)0x(?:([0-9a-f]+)\.?([0-9a-f]*)|\.([0-9a-f]+))(?:p([+-]?[0-9]+))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/**
 * Reads what strtold() of C reads: decimal, hexadecimal, infinity; all of the text. Undefined for other text, for NaN, and where
 * the number is too large, or too small to be told from zero.
 */
export function parseLongDouble(text: string): LongDouble | undefined {
  const infinite = INFINITE.exec(text);
  if (infinite !== null) {
    return { mantissa: infinite[1] === "-" ? -1n : 1n, exponent: Number.POSITIVE_INFINITY };
  }
  const hexadecimal = HEXADECIMAL.exec(text);
  const match = hexadecimal ?? DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = match[4] ?? "", , power = "0"] = match;
  const digits = BigInt((hexadecimal === null ? "" : "0x") + whole + fraction);
  if (digits === 0n) return ZERO;
  const value =
    hexadecimal === null
      ? fromDecimal(digits, Number(power) - fraction.length)
      : fromBinary(digits, Number(power) - 4 * fraction.length);
  if (value.mantissa === 0n || isInfinite(value)) return undefined;
  return sign === "-" ? { mantissa: -value.mantissa, exponent: value.exponent } : value;
}

/** The sum, rounded; not finite when it is too large or one of the two is not finite. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble {
  if (isInfinite(a)) return a;
  if (isInfinite(b)) return b;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = scaled(a, exponent) + scaled(b, exponent);
  const value = round(sum < 0n ? -sum : sum, 1n, exponent);
  return sum < 0n ? { mantissa: -value.mantissa, exponent: value.exponent } : value;
}

export function isInfinite(value: LongDouble): boolean {
  return !Number.isFinite(value.exponent);
}

/** All digits before the point and up to 17 behind it, without trailing zeros, never with an exponent. */
export function formatLongDouble(value: LongDouble): string {
  const magnitude = value.mantissa < 0n ? -value.mantissa : value.mantissa;
  const places = magnitude * 10n ** BigInt(DECIMALS);
  const shift = BigInt(Math.abs(value.exponent));
  const units = value.exponent >= 0 ? places << shift : divideToEven(places, 1n << shift);
  if (units === 0n) return "0";
  const digits = units.toString().padStart(DECIMALS + 1, "0");
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, "");
  const sign = value.mantissa < 0n ? "-" : "";
  return sign + digits.slice(0, -DECIMALS) + (fraction === "" ? "" : `.${fraction}`);
}

function fromDecimal(digits: bigint, power: number): LongDouble {
  const near = Math.max(-FAR_POWER_OF_TEN, Math.min(FAR_POWER_OF_TEN, power));
  const scale = 10n ** BigInt(Math.abs(near));
  return near < 0 ? round(digits, scale, 0) : round(digits * scale, 1n, 0);
}

function fromBinary(digits: bigint, power: number): LongDouble {
  return round(digits, 1n, Math.max(-FAR_POWER_OF_TWO, Math.min(FAR_POWER_OF_TWO, power)));
}

/** The nearest number to numerator / denominator × 2^exponent, both positive or the numerator 0. */
function round(numerator: bigint, denominator: bigint, exponent: number): LongDouble {
  if (numerator === 0n) return ZERO;
  const excess = quotientBits(numerator, denominator) - MANTISSA_BITS;
  const drop = Math.max(excess, MIN_EXPONENT - exponent);
  const mantissa =
    drop >= 0
      ? divideToEven(numerator, denominator << BigInt(drop))
      : divideToEven(numerator << BigInt(-drop), denominator);
  const result = { mantissa, exponent: exponent + drop };
  const tooLarge = bitLength(mantissa) + result.exponent > MAX_BITS;
  return tooLarge ? { mantissa: 1n, exponent: Number.POSITIVE_INFINITY } : result;
}

/** Bits of the whole part of a quotient; 0 and negative ones count the zeros behind the point. */
function quotientBits(numerator: bigint, denominator: bigint): number {
  const bits = bitLength(numerator) - bitLength(denominator);
  const full =
    bits >= 0
      ? numerator >= denominator << BigInt(bits)
      : numerator << BigInt(-bits) >= denominator;
  return full ? bits + 1 : bits;
}

/** The quotient of two that are not negative, rounded to nearest, ties to even. */
function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** The mantissa of `value` for a smaller exponent. */
function scaled(value: LongDouble, exponent: number): bigint {
  if (value.mantissa === 0n) return 0n;
  return value.mantissa << BigInt(value.exponent - exponent);
}

/** Bits of a number that is not negative. */
function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0]!, 16)) + 28;
}
