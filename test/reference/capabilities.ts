/** A second reader of CAP version 1, over a cursor that throws the code: slow, and in the order of the specification. */

export type SlowEntry = { name: string; values: number[][] };

export function readCapabilities(bytes: Uint8Array): SlowEntry[] | string {
  let rest = [...bytes];
  const take = (count: number): number[] => {
    if (rest.length < count) throw "CAP_TRUNCATED";
    const taken = rest.slice(0, count);
    rest = rest.slice(count);
    return taken;
  };
  const number = (size: number): number =>
    take(size).reduceRight((sum, byte) => sum * 256 + byte, 0);
  const limit = (value: number, most: number, code: string): number => {
    if (value > most) throw code;
    return value;
  };
  const list = <T>(count: number, item: () => T): T[] => {
    const items: T[] = [];
    while (items.length < count) items.push(item());
    return items;
  };
  try {
    if (rest.length < 8) throw "CAP_TRUNCATED";
    if (String.fromCharCode(...take(3)) !== "CAP") throw "CAP_BAD_MAGIC";
    if (number(1) !== 1) throw "CAP_BAD_VERSION";
    return list(limit(number(4), 1024, "CAP_TOO_MANY_ENTRIES"), () => {
      const name = take(limit(number(2), 256, "CAP_NAME_TOO_LONG"));
      if (name.some((byte) => byte > 127)) throw "CAP_NON_ASCII_NAME";
      const values = list(number(2), () => take(limit(number(4), 16384, "CAP_VALUE_TOO_LONG")));
      return { name: String.fromCharCode(...name), values };
    });
  } catch (code) {
    if (typeof code === "string") return code;
    throw code;
  }
}
