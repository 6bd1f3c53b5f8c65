// Who of the members tells about which keys when all keys are asked for: one replica of each range, so that no key is told twice.

import type { FieldReader, FieldWriter } from "./fields.ts";
import { rangeUnreachable } from "./ring-error.ts";
import type { Member, ReplicaSet, Topology } from "./topology.ts";

/**
 * One view of who answers, taken when a command begins. Every member that is asked gets it, so that all agree on who tells what:
 * for each range the replica in the rack that was chosen, if it answers, else the first of the fixed order that does.
 */
export class GatherView {
  /** The members of the datacenter that answer reads. */
  readonly readable: ReadonlySet<Member>;
  /** The rack whose members tell what they hold. */
  readonly rack: string;
  /** Whether all of that rack answer: each of them tells all that it holds. */
  readonly isWhole: boolean;

  constructor(readable: ReadonlySet<Member>, rack: string, isWhole: boolean) {
    this.readable = readable;
    this.rack = rack;
    this.isWhole = isWhole;
  }

  /** What a node sees now. It prefers its own rack, then any other that is whole. */
  static now(topology: Topology, isReadable: (member: Member) => boolean): GatherView {
    const { self, datacenters } = topology;
    const { racks } = datacenters.find(({ name }) => name === self.datacenter)!;
    const readable = new Set(racks.flatMap(({ members }) => members).filter(isReadable));
    const whole = racks.filter(({ members }) => members.every((member) => readable.has(member)));
    const chosen = whole.find(({ name }) => name === self.rack) ?? whole[0];
    return new GatherView(readable, chosen?.name ?? self.rack, chosen !== undefined);
  }

  /** Who tells about the keys of a set; undefined: nobody can. */
  tellerOf({ local }: ReplicaSet): Member | undefined {
    const answering = local.filter((member) => this.readable.has(member));
    return answering.find(({ rack }) => rack === this.rack) ?? answering[0];
  }

  /** All who tell something, by index. Throws RANGE_UNREACHABLE where nobody tells about some keys. */
  tellers(sets: readonly ReplicaSet[]): Member[] {
    const tellers = new Set<Member>();
    for (const set of sets) {
      const teller = this.tellerOf(set);
      if (teller === undefined) throw rangeUnreachable(set.local);
      tellers.add(teller);
    }
    return [...tellers].sort((one, other) => one.index - other.index);
  }

  /** A number below 2^15 that another view most likely has not. */
  get mark(): number {
    let mark = this.isWhole ? 1 : 2;
    for (const character of this.rack) mark = (mark * 31 + character.codePointAt(0)!) % MARKS;
    for (const { index } of this.readable) mark = (mark * 31 + index + 1) % MARKS;
    return mark;
  }

  writeTo(writer: FieldWriter): void {
    writer
      .u8(this.isWhole ? 1 : 0)
      .text(this.rack)
      .u32(this.readable.size);
    for (const { index } of this.readable) writer.u16(index);
  }

  static readFrom(reader: FieldReader, topology: Topology): GatherView {
    const isWhole = reader.u8() === 1;
    const rack = reader.text();
    const readable = new Set<Member>();
    for (let left = reader.u32(); left > 0; left--) {
      const member = topology.members[reader.u16()];
      if (member !== undefined) readable.add(member);
    }
    return new GatherView(readable, rack, isWhole);
  }
}

/** A prime below 2^15. */
const MARKS = 32749;
