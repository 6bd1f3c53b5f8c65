import type { Fault } from "./faults/fault.ts";

/**
 * Leaves faults out, many at a time and then one by one, as long as the run still fails; what is left is needed, each of it.
 * `fails` runs with the given faults; it is asked at most `most` times.
 */
export async function shrinkFaults(
  faults: readonly Fault[],
  fails: (faults: readonly Fault[]) => Promise<boolean>,
  most: number,
): Promise<readonly Fault[]> {
  let needed = faults;
  let asked = 0;
  for (let size = Math.ceil(needed.length / 2); size >= 1; ) {
    let isSmaller = false;
    for (let at = 0; at < needed.length && asked < most; ) {
      const fewer = [...needed.slice(0, at), ...needed.slice(at + size)];
      asked++;
      if (await fails(fewer)) {
        needed = fewer;
        isSmaller = true;
      } else at += size;
    }
    if (asked >= most || needed.length === 0) break;
    if (size === 1 && !isSmaller) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return needed;
}
