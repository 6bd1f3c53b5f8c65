/**
 * Tables of random slicing: each rack divides 2^64 points among its members in slices without gaps. A 32-bit token is the point
 * token × 2^32, a token of 64 bits a point itself, of one of 128 bits the upper half. A table as text:
 *
 *   rack:datacenter:token=end,token=end,…
 *
 * `token` is the first token of the member that has the slice; `end` its last point, decimal, ascending; the last one is
 * 18446744073709551615. A member may have several slices, which is how a table changes with few moves.
 */
import { RingletError } from "../base/errors.ts";
import type { Datacenter, Member, Rack } from "./member.ts";
import { shown } from "./seed.ts";

/** The points from the one behind the slice before to `end`, inclusive. */
export interface Slice {
  readonly end: bigint;
  readonly member: Member;
}

export interface RackSlices {
  readonly datacenter: string;
  readonly rack: string;
  readonly slices: readonly Slice[];
}

export const LAST_POINT = (1n << 64n) - 1n;

/** The tables of all racks, in their order: from `texts`, equal slices for racks that have none. Throws RingletError BAD_SLICES. */
export function buildSlices(
  texts: readonly string[],
  datacenters: readonly Datacenter[],
): RackSlices[] {
  const given = new Map<string, string>();
  for (const text of texts) {
    const match = /^([^:]+:[^:]+):([^:]+)$/.exec(text.trim());
    if (match === null) throw badSlices(text, "write rack:datacenter:token=end,token=end,…");
    if (given.has(match[1]!)) throw badSlices(text, "its rack has two tables; leave one out");
    given.set(match[1]!, match[2]!);
  }
  const tables = datacenters.flatMap(({ name: datacenter, racks }) =>
    racks.map((rack): RackSlices => {
      const place = `${rack.name}:${datacenter}`;
      const table = given.get(place);
      given.delete(place);
      const slices = table === undefined ? equalSlices(rack) : readTable(table, rack);
      return { datacenter, rack: rack.name, slices };
    }),
  );
  for (const place of given.keys()) throw badSlices(place, "there is no such rack");
  return tables;
}

function equalSlices({ members }: Rack): Slice[] {
  const count = BigInt(members.length);
  return members.map((member, i) => ({
    end: ((LAST_POINT + 1n) * BigInt(i + 1)) / count - 1n,
    member,
  }));
}

function readTable(table: string, rack: Rack): Slice[] {
  let before = -1n;
  const slices = table.split(",").map((entry): Slice => {
    const match = /^(-?\d{1,39})=(\d{1,20})$/.exec(entry.trim());
    if (match === null) throw badSlices(entry, "write token=end with decimal numbers");
    const member = rack.members.find(({ tokenTexts }) => tokenTexts[0] === match[1]);
    if (member === undefined) {
      throw badSlices(entry, `no member of rack ${rack.name} has ${match[1]} as its first token`);
    }
    const end = BigInt(match[2]!);
    if (end <= before || end > LAST_POINT) {
      throw badSlices(entry, `ends must ascend and be at most ${LAST_POINT}`);
    }
    before = end;
    return { end, member };
  });
  if (before !== LAST_POINT) throw badSlices(table, `the last slice must end at ${LAST_POINT}`);
  return slices;
}

function badSlices(text: string, reason: string): RingletError {
  return new RingletError("BAD_SLICES", `slices ${shown(text)}: ${reason}`);
}
