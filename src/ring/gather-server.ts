// Tells other nodes (and this one) about the keys that this node holds and is to tell about.
//
//   body     u8 kind (1 count, 2 scan, 3 random)   u8 database   the view   then for scan: u32 cursor, u32 count,
//            u8 1 and the pattern or 0, u8 1 and the type or 0
//   answer   count: u64   scan: u32 next cursor, the keys   random: a list of one key or none

import { isMeant } from "../store/commands/scan-options.ts";
import type { Database, Entry } from "../store/database.ts";
import { FieldReader, FieldWriter } from "./fields.ts";
import { GatherView } from "./gather-view.ts";
import { REQUEST_KIND } from "./port.ts";
import type { RingContext } from "./ring-context.ts";
import { notHere } from "./ring-error.ts";
import type { Member, ReplicaSet } from "./topology.ts";

/** A part of what a member is asked for. */
export type GatherRequest =
  | { readonly kind: "count"; readonly database: number }
  | {
      readonly kind: "scan";
      readonly database: number;
      readonly cursor: number;
      /** About how many keys to look at. */
      readonly count: number;
      readonly pattern: Uint8Array | undefined;
      readonly type: string | undefined;
    }
  | { readonly kind: "random"; readonly database: number };

/** What a scan has found, and where it goes on; 0: nowhere. */
export interface ScanStep {
  readonly next: number;
  readonly keys: readonly Uint8Array[];
}

const KINDS = ["", "count", "scan", "random"] as const;
/** Steps of a walk that one request takes at most through places where there is nothing. */
const MIN_STEPS = 1024;
/** Keys that random() draws before it gives up finding one that it is to tell about. */
const DRAWS = 256;

export function encodeGather(request: GatherRequest, view: GatherView): Uint8Array {
  const writer = new FieldWriter().u8(KINDS.indexOf(request.kind)).u8(request.database);
  view.writeTo(writer);
  if (request.kind !== "scan") return writer.done();
  writer.u32(request.cursor).u32(Math.min(request.count, 0xffffffff));
  if (request.pattern === undefined) writer.u8(0);
  else writer.u8(1).bytes(request.pattern);
  if (request.type === undefined) writer.u8(0);
  else writer.u8(1).text(request.type);
  return writer.done();
}

export class GatherServer {
  readonly #context: RingContext;

  constructor(context: RingContext) {
    this.#context = context;
    context.port.onRequest(REQUEST_KIND.gather, ({ body }) => this.serve(body));
  }

  /** Throws MALFORMED_REQUEST, and NOT_HERE while this node answers no reads. */
  serve(body: Uint8Array): Uint8Array {
    const { port, store } = this.#context;
    const reader = new FieldReader(body);
    const kind = KINDS[reader.u8()];
    const database = store.databases[reader.u8()];
    const view = GatherView.readFrom(reader, port.topology);
    if (database === undefined) throw notHere("the node that was asked has no such database");
    if (port.isFenced) throw notHere("the node that was asked has not got its data back yet");
    store.setNow(this.#context.runtime.now());
    const told = new Told(this.#context, view);
    switch (kind) {
      case "count":
        return new FieldWriter().u64(BigInt(countKeys(database, told))).done();
      case "scan":
        return scan(database, told, reader);
      case "random": {
        const key = randomKey(database, told);
        return new FieldWriter().list(key === undefined ? [] : [key]).done();
      }
      default:
        throw notHere("the node that was asked does not know the request");
    }
  }
}

/** Which of this node's entries it tells about. */
class Told {
  readonly all: boolean;
  readonly #context: RingContext;
  readonly #view: GatherView;
  readonly #bySet = new Map<ReplicaSet, Member | undefined>();

  constructor(context: RingContext, view: GatherView) {
    const { rack } = context.port.topology.self;
    this.#context = context;
    this.#view = view;
    this.all = view.isWhole && view.rack === rack;
  }

  has(database: Database, entry: Entry): boolean {
    if (this.all) return true;
    const { port } = this.#context;
    const set = port.replicasOf(database.keyView(entry));
    if (!this.#bySet.has(set)) this.#bySet.set(set, this.#view.tellerOf(set));
    return this.#bySet.get(set) === port.topology.self;
  }
}

function countKeys(database: Database, told: Told): number {
  if (told.all) return database.size;
  let count = 0;
  let cursor = 0;
  do {
    const step = database.walk(cursor);
    for (const entry of step.entries) if (told.has(database, entry)) count++;
    cursor = step.next;
  } while (cursor !== 0);
  return count;
}

function scan(database: Database, told: Told, reader: FieldReader): Uint8Array {
  let next = reader.u32();
  const count = reader.u32();
  const pattern = reader.u8() === 1 ? reader.bytes() : undefined;
  const type = reader.u8() === 1 ? reader.text() : undefined;
  const keys: Uint8Array[] = [];
  let seen = 0;
  for (let steps = MIN_STEPS + 10 * count; steps > 0 && seen < count; steps--) {
    const step = database.walk(next);
    for (const entry of step.entries) {
      if (!told.has(database, entry)) continue;
      seen++;
      if (type !== undefined && database.type(entry) !== type) continue;
      if (isMeant(pattern, () => database.keyView(entry))) keys.push(database.key(entry));
    }
    next = step.next;
    if (next === 0) break;
  }
  return new FieldWriter().u32(next).list(keys).done();
}

export function decodeScan(body: Uint8Array): ScanStep {
  const reader = new FieldReader(body);
  return { next: reader.u32(), keys: reader.list() };
}

function randomKey(database: Database, told: Told): Uint8Array | undefined {
  for (let draw = 0; draw < DRAWS; draw++) {
    const entry = database.random();
    if (entry === 0) return undefined;
    if (told.has(database, entry)) return database.key(entry);
  }
  return undefined;
}
