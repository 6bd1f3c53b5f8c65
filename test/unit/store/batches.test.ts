/** Commands that come in one chunk, which the kernel looks up together, reply and leave what the same ones do one at a time. */
import { expect, test } from "vitest";
import { type Argument, Harness } from "./harness.ts";
import { RandomSource } from "./random-source.ts";

const ROUNDS = 100;
const COMMANDS = 70;

/** A command on one of a few keys; some of them move or remove what others of the chunk have been looked up for. */
function anyCommand(random: RandomSource): readonly Argument[] {
  const key = anyKey(random);
  const value = "v".repeat(random.below(40));
  switch (random.below(16)) {
    case 0:
      return ["DEL", key];
    case 1:
      return ["SETEX", key, 100, value];
    case 2:
      return ["APPEND", key, value];
    case 3:
      return ["RENAME", key, anyKey(random)];
    case 4:
      return ["SELECT", random.below(2)];
    case 5:
      return random.chance(0.2) ? ["FLUSHDB"] : ["DBSIZE"];
    case 6:
      return ["HSET", key, "field", value];
    case 7:
      return ["EXPIRE", key, random.below(2)];
    case 8:
      return ["GETDEL", key];
    case 9:
    case 10:
    case 11:
      return ["SET", key, value];
    default:
      return ["GET", key];
  }
}

/** The empty key among them: it is what a slot without an entry would seem to hold. */
function anyKey(random: RandomSource): string {
  return ["", "a", "key:1", "key:2", "key:3", "a longer key of many bytes"][random.below(6)]!;
}

test.each([0, 1])("with tombstones: %i", (tombstones) => {
  const options = tombstones === 1 ? { tombstones: true } : {};
  const together = new Harness(options);
  const alone = new Harness(options);
  const random = new RandomSource(11);
  for (let round = 0; round < ROUNDS; round++) {
    const commands = Array.from({ length: COMMANDS }, () => anyCommand(random));
    const replies = commands.map((command) => alone.raw(...command)).join("");
    expect(together.chunk(commands), `round ${round}`).toBe(replies);
  }
});

test("a segment that splits between the commands of a chunk", () => {
  const harness = new Harness();
  const values = new Map<string, string>();
  const random = new RandomSource(3);
  for (let chunk = 0; chunk < 300; chunk++) {
    const commands: Argument[][] = [];
    for (let n = 0; n < 64; n++) {
      // Half of them are there already, and get a record of their own again.
      const key = `key:${n % 2 === 0 ? values.size : random.below(values.size)}`;
      const value = `${chunk}:${n}`.padEnd(random.below(200), "x");
      values.set(key, value);
      commands.push(["SET", key, value]);
    }
    expect(harness.chunk(commands)).toBe("+OK\r\n".repeat(commands.length));
  }
  const wrong = [...values].filter(([key, value]) => harness.run("GET", key) !== value);
  expect(wrong).toEqual([]);
  expect(harness.database.size).toBe(values.size);
});
