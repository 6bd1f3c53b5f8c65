/** Stores that replicate one another by effects, as the tests of replication use them. */

import { type Applied, applyFrame, recordStamp } from "../../../src/store/apply.ts";
import { fromLatin1, latin1 } from "../../../src/store/arguments.ts";
import { effectFrame, recordEffects } from "../../../src/store/effect.ts";
import type { HashObject } from "../../../src/store/objects/hash.ts";
import { type Argument, Harness } from "./harness.ts";

/** One replica: every command runs on the host, and its effects come out as frames. */
export class Replica {
  readonly harness: Harness;

  /** `node`: its index in stamps. */
  constructor(node: number) {
    this.harness = new Harness({ runBy: "host", tombstones: true });
    this.harness.store.kernel.setNodeIndex(node);
  }

  get store() {
    return this.harness.store;
  }

  /** Runs commands under one stamp and returns the frames of their effects. */
  run(...commands: readonly (readonly Argument[])[]): Uint8Array[] {
    this.store.beginEffects();
    for (const command of commands) this.harness.raw(...command);
    return this.store.endEffects().map((effect) => effectFrame(effect));
  }

  apply(frame: Uint8Array): Applied {
    const outcome = applyFrame(this.store, frame);
    this.store.afterCommand();
    return outcome;
  }

  /** All that the replica knows of a key: equal texts, equal states. */
  state(key: string, database = 0): string {
    const bytes = fromLatin1(key);
    const content = this.content(key, database);
    const [known] = recordEffects(this.store, database, bytes);
    if (known === undefined) return "nothing";
    const { kind, stamp, node, expiry } = known;
    const digest = recordStamp(this.store, database, bytes)!.digest;
    return `${kind} ${stamp} ${node} ${expiry} ${digest} ${content}`;
  }

  /** What a client sees of a key, as text. */
  content(key: string, index = 0): string {
    const database = this.store.databases[index]!;
    const entry = database.find(this.store.place(fromLatin1(key)));
    if (entry === 0) return "missing";
    if (!database.isObject(entry)) return `"${text(database.value(entry))}"`;
    const hash = database.object(entry) as HashObject;
    const fields = Array.from({ length: hash.size }, (_, place) => {
      const value = hash.valueAt(place);
      return `${hash.fieldAt(place)}=${typeof value === "string" ? value : text(value)}`;
    });
    return fields.sort().join(" ");
  }
}

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);
