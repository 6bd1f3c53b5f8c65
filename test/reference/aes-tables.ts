/**
 * Derives the tables of assembly/codec/aes-tables.ts from the definition of AES.
 *
 * A byte is seen as an element of GF(16)[z] / (z² + z + 1/a), where GF(16) = GF(2)[t] / (t⁴ + t + 1): x = a·i·z + k. The kernel
 * keeps i in the high nibble and k in the low one. With j = i + k and 1/0 = ∞, 1/∞ = 0,
 *
 *   p = 1 / (1/(1/i + a/k) + j) = (k + a·i) / N        q = 1 / (1/(1/j + a/k) + i) = (k + a·j) / N        N = k² + a·i·k + a·i²
 *
 * where N is the norm of x, so that 1/x = (p + (p + q)/a)·z + p is linear in p and q: inversion in GF(256) takes only tables of 16
 * entries, and every linear map that follows it can be folded into the last two of them, one for p and one for q. It holds for
 * a ≠ 1 with an irreducible z² + z + 1/a; this takes the smallest such a, and the smallest root of the AES polynomial as the image of x.
 */

const INFINITY = 0x80;

function multiply(x: number, y: number, polynomial: number, bits: number): number {
  let product = 0;
  for (let bit = bits - 1; bit >= 0; bit--) {
    product <<= 1;
    if (product >> bits) product ^= polynomial;
    if ((y >> bit) & 1) product ^= x;
  }
  return product;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const mul16 = (x: number, y: number) => multiply(x, y, 0x13, 4);
const inverse16 = (x: number) => range(16).find((y) => mul16(x, y) === 1) ?? 0;
const mul256 = (x: number, y: number) => multiply(x, y, 0x11b, 8);
const inverse256 = (x: number) => range(256).find((y) => mul256(x, y) === 1) ?? 0;

/** a: z² + z + 1/a has no root in GF(16). */
const a = range(16).find(
  (x) => x > 1 && range(16).every((z) => (mul16(z, z) ^ z ^ inverse16(x)) !== 0),
)!;

/** Product in GF(16)[z], elements as nibbles (coefficient of z, constant). */
function mulTower(x: number, y: number): number {
  const [x1, x0, y1, y0] = [x >> 4, x & 15, y >> 4, y & 15];
  const high = mul16(x1, y1);
  return (
    ((mul16(x1, y0) ^ mul16(x0, y1) ^ high) << 4) | (mul16(x0, y0) ^ mul16(high, inverse16(a)))
  );
}

/** Image of the AES polynomial's x, and with it of every byte. */
const root = range(256).find((r) => {
  const power = (n: number): number => (n === 0 ? 1 : mulTower(r, power(n - 1)));
  return (power(8) ^ power(4) ^ power(3) ^ power(1) ^ power(0)) === 0;
})!;
const toTower = (byte: number): number =>
  range(8).reduceRight((sum, bit) => mulTower(sum, root) ^ ((byte >> bit) & 1), 0);
const fromTower = (element: number): number => range(256).find((x) => toTower(x) === element)!;
/** The kernel's form: i = (coefficient of z) / a in the high nibble. */
const pack = (element: number): number => (mul16(element >> 4, inverse16(a)) << 4) | (element & 15);
const internal = (byte: number): number => pack(toTower(byte));

/** The affine map of SubBytes without its constant 0x63, and its inverse. */
const affine = (byte: number): number =>
  [0, 1, 2, 3, 4].reduce((sum, turn) => sum ^ (byte << turn) ^ (byte >> (8 - turn)), 0) & 0xff;
const affineInverse = (byte: number): number => range(256).find((x) => affine(x) === byte)!;

export const sbox = (byte: number): number => affine(inverse256(byte)) ^ 0x63;

/** A linear map of bytes as two tables, of the low and of the high nibble. */
const input = (map: (byte: number) => number) => [
  ...range(16).map((n) => map(n)),
  ...range(16).map((n) => map(n << 4)),
];

/** A linear map of 1/x (an AES byte) as two tables, indexed by 1/p and by 1/q. */
const output = (map: (byte: number) => number) => {
  const fromP = (p: number) => map(fromTower(((p ^ mul16(p, inverse16(a))) << 4) | p));
  const fromQ = (q: number) => map(fromTower(mul16(q, inverse16(a)) << 4));
  return [
    ...range(16).map((n) => fromP(inverse16(n))),
    ...range(16).map((n) => fromQ(inverse16(n))),
  ];
};

/** ShiftRows as a source index per position: position r + 4c takes row r of column c + r. */
const shiftRows = range(16).map((at) => (at + 4 * (at & 3)) & 15);
const inverseShiftRows = range(16).map((at) => shiftRows.indexOf(at));
const compose = (first: number[], then: number[]) => then.map((at) => first[at]!);
const power = (permutation: number[], n: number): number[] =>
  range(n).reduce((sum) => compose(sum, permutation), range(16));
const rotate = (by: number) => range(16).map((at) => (at & 12) | ((at + by) & 3));
/** A rotation of columns for a state on which n applications of `shift` are still due. */
const through = (shift: number[], n: number, rotation: number[]) =>
  compose(compose(power(shift, n & 3), rotation), power(shift, (4 - n) & 3));

export const tables: Record<string, number[]> = {
  NIBBLE: Array(16).fill(0x0f),
  INVERSE: range(16).map((n) => (n === 0 ? INFINITY : inverse16(n))),
  A_OVER: range(16).map((n) => (n === 0 ? INFINITY : mul16(a, inverse16(n)))),
  ENC_IN: input(internal),
  ENC_1: output((x) => internal(affine(x))),
  ENC_2: output((x) => internal(mul256(2, affine(x)))),
  ENC_OUT: output(affine),
  DEC_IN: input((x) => internal(affineInverse(x))),
  DEC_9: output((x) => internal(affineInverse(mul256(9, x)))),
  DEC_D: output((x) => internal(affineInverse(mul256(13, x)))),
  DEC_B: output((x) => internal(affineInverse(mul256(11, x)))),
  DEC_E: output((x) => internal(affineInverse(mul256(14, x)))),
  DEC_OUT: output((x) => x),
  ENC_ROTATE: [1, 2, 3, 4].flatMap((n) => [
    ...through(shiftRows, n, rotate(1)),
    ...through(shiftRows, n, rotate(3)),
  ]),
  DEC_ROTATE: [1, 2, 3, 4].flatMap((n) => through(inverseShiftRows, n, rotate(1))),
  SHIFT_ROWS: [0, 1, 2, 3].flatMap((n) => power(shiftRows, n)),
};
