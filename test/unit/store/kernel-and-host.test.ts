/**
 * The commands that the kernel answers, against the host's versions of them, which say the same in readable form: equal replies
 * in both protocols, and equal entries in the end, down to the encoding.
 */
import { describe, expect, test } from "vitest";
import { KERNEL_COMMANDS } from "../../../src/store/kernel.ts";
import { type CommandSource, HASH_KEY, KEYS } from "../../system/differential/command-source.ts";
import { genericCommand } from "../../system/differential/generic-commands.ts";
import { stringCommand } from "../../system/differential/string-commands.ts";
import { Harness } from "./harness.ts";
import { RandomSource } from "./random-source.ts";
import { START_MS } from "./store-under-test.ts";

const ROUNDS = 40;
const COMMANDS_PER_ROUND = 200;
const HOUR_MS = 3_600_000;

describe.each([2, 3] as const)("with protocol %i", (protocol) => {
  const kernel = new Harness({ runBy: "kernel", protocol, maxBulkBytes: 1024 * 1024 });
  const host = new Harness({ runBy: "host", protocol, maxBulkBytes: 1024 * 1024 });
  const both = [kernel, host];
  const ofKernel = new Set<string>(KERNEL_COMMANDS);

  function compareRound(seed: number, source: CommandSource): void {
    const random = new RandomSource(seed);
    let now = START_MS;
    for (const harness of both) {
      harness.store.flushAll();
      harness.setHash(HASH_KEY);
    }
    for (let i = 0; i < COMMANDS_PER_ROUND; i++) {
      // Now and then entries have expired meanwhile.
      if (random.chance(0.1)) now += random.below(4) * HOUR_MS + random.below(1000);
      const command = source(random, now);
      if (!ofKernel.has(String(command[0]).toLowerCase())) continue;
      for (const { store } of both) store.setNow(now);
      const where = `seed ${seed}, command ${i}: ${JSON.stringify(command).slice(0, 300)}`;
      if (kernel.raw(...command) !== host.raw(...command)) expect.fail(where);
      for (const key of KEYS) {
        expect(aboutKey(kernel, key), where).toEqual(aboutKey(host, key));
        if (bytesAt(kernel, key).compare(bytesAt(host, key)) !== 0) expect.fail(where);
      }
    }
  }

  test("the string family is the same to both", () => {
    for (let seed = 0; seed < ROUNDS; seed++) compareRound(seed, stringCommand);
    // Some values were too large for the kernel's output.
    expect(kernel.hostCommands).toBeGreaterThan(ROUNDS);
  });

  test("the generic family is the same to both", () => {
    for (let seed = 0; seed < ROUNDS; seed++) compareRound(seed, genericCommand);
  });
});

function aboutKey(harness: Harness, key: string): unknown {
  const { database } = harness;
  const entry = harness.find(key);
  if (entry === 0) return "missing";
  return [database.type(entry), database.expiry(entry), database.isRaw(entry)];
}

function bytesAt(harness: Harness, key: string): Buffer {
  const entry = harness.find(key);
  if (entry === 0 || harness.database.isObject(entry)) return Buffer.alloc(0);
  const { buffer, byteOffset, length } = harness.database.value(entry);
  return Buffer.from(buffer, byteOffset, length);
}
