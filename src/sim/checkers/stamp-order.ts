/**
 * What is known of the order of a register's writes: `a` comes before `b` where, in some datacenter, `a` was settled before something
 * began that saw or made `b` there. So each write needs two times for each datacenter, and the order follows from them.
 */

/** One write, by datacenter (in an order of the caller's). */
export interface Settling {
  /** When it was settled; Infinity: never. */
  readonly settledMs: readonly number[];
  /** When the last thing began that says that it is the newest; -Infinity: nothing does. */
  readonly seenMs: readonly number[];
}

/** A datacenter in which `a` is surely before `b`; -1: there is none. */
export function isBefore(a: Settling, b: Settling): number {
  for (let at = 0; at < a.settledMs.length; at++) if (a.settledMs[at]! < b.seenMs[at]!) return at;
  return -1;
}

/** Writes of which each is before the next and the last before the first, as few as there are; undefined: there are none. */
export function findCycle<W extends Settling>(writes: readonly W[]): W[] | undefined {
  for (const [i, one] of writes.entries()) {
    for (let k = 0; k < i; k++) {
      const other = writes[k]!;
      if (isBefore(one, other) >= 0 && isBefore(other, one) >= 0) return [one, other];
    }
  }
  const [datacenters] = [writes[0]?.settledMs.length ?? 0];
  // Within one datacenter, each cycle holds one of two writes: the one that was seen last is after all others of the cycle.
  return datacenters > 1 ? findLongCycle(writes) : undefined;
}

function findLongCycle<W extends Settling>(writes: readonly W[]): W[] | undefined {
  const done = new Set<W>();
  const trail: W[] = [];
  const enter = (write: W): W[] | undefined => {
    trail.push(write);
    for (const next of writes) {
      if (next === write || done.has(next) || isBefore(write, next) < 0) continue;
      const at = trail.indexOf(next);
      const cycle = at >= 0 ? trail.slice(at) : enter(next);
      if (cycle !== undefined) return cycle;
    }
    trail.pop();
    done.add(write);
    return undefined;
  };
  for (const write of writes) {
    const cycle = done.has(write) ? undefined : enter(write);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/**
 * For each write, when the first of it and all that come after it was settled, by datacenter: what has been seen there since is
 * newer than it. The order must have no cycle.
 */
export function earliestSettled<W extends Settling>(writes: readonly W[]): Map<W, number[]> {
  const earliest = new Map(writes.map((write) => [write, [...write.settledMs]]));
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const write of writes) {
      const own = earliest.get(write)!;
      for (const next of writes) {
        if (next === write || !next.seenMs.some((seen, at) => own[at]! < seen)) continue;
        for (const [at, settled] of next.settledMs.entries()) {
          if (settled >= own[at]!) continue;
          own[at] = settled;
          isChanged = true;
        }
      }
    }
  }
  return earliest;
}
