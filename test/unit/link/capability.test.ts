/** Capabilities: typed values, agreed on for each link. */
import { expect, test } from "vitest";
import type { CapabilityEntry } from "../../../src/codec/capabilities.ts";
import { type Capability, CapabilityRegistry } from "../../../src/link/capability.ts";
import {
  aead,
  names,
  numbers,
  ringletCapabilities,
  VALUE_STAMPS,
} from "../../../src/link/ringlet-capabilities.ts";
import { codec } from "./link-under-test.ts";

const LEVEL = numbers("level", [1, 2, 3]);
const COLOUR = names("colour", ["red", "green", "blue"], ["red", "blue"]);
const registry = new CapabilityRegistry([LEVEL, COLOUR]);

const entry = <Value>(
  { name, encode }: Capability<Value>,
  ...values: Value[]
): CapabilityEntry => ({
  name,
  values: values.map(encode),
});

test("an advertisement is sorted by name, each with its values in their order", () => {
  expect(registry.advertisement()).toEqual([
    { name: "colour", values: ["red", "blue"].map((name) => new TextEncoder().encode(name)) },
    {
      name: "level",
      values: [1, 2, 3].map((level) => Uint8Array.of(level, 0, 0, 0)),
    },
  ]);
  const bytes = codec.encodeCapabilities(registry.advertisement());
  expect(codec.decodeCapabilities(bytes)).toEqual(registry.advertisement());
});

test("the best value that both have is agreed on", () => {
  const agreed = registry.agree([entry(LEVEL, 2, 1), entry(COLOUR, "green", "blue", "red")]);
  expect(agreed.get(LEVEL)).toBe(2);
  expect(agreed.get(COLOUR)).toBe("blue");
  expect(agreed.value("level")).toBe(2);
});

test("nothing in common, nothing advertised and nothing readable give the floor", () => {
  for (const peer of [
    [],
    [entry(LEVEL, 9, 10)],
    [{ name: "level", values: [] }],
    [{ name: "level", values: [Uint8Array.of(2), new Uint8Array(5), new Uint8Array(0)] }],
  ]) {
    expect(registry.agree(peer).get(LEVEL)).toBe(1);
  }
});

test("a malformed value is passed over, and the others count", () => {
  const peer = { name: "level", values: [Uint8Array.of(3), LEVEL.encode(2)] };
  expect(registry.agree([peer]).get(LEVEL)).toBe(2);
});

test("names that this build does not know change nothing, and of a name given twice the first counts", () => {
  const agreed = registry.agree([
    { name: "unknown", values: [Uint8Array.of(1)] },
    entry(LEVEL, 1),
    entry(LEVEL, 3),
  ]);
  expect(agreed.get(LEVEL)).toBe(1);
  expect(agreed.value("unknown")).toBeUndefined();
});

test("links do not agree for one another", () => {
  const low = registry.agree([entry(LEVEL, 1)]);
  const high = registry.agree([entry(LEVEL, 3)]);
  expect([low.get(LEVEL), high.get(LEVEL)]).toEqual([1, 3]);
});

test("both sides of a link agree on the same, whatever their orders", () => {
  const sides = [[1, 2, 3], [3, 1], [2], [1, 3, 2]].map((values) => numbers("level", values));
  for (const one of sides) {
    for (const other of sides) {
      const common = one.supportedValues.filter((value) => other.supportedValues.includes(value));
      if (common.length === 0) continue;
      const agree = (mine: Capability<number>, theirs: Capability<number>) =>
        new CapabilityRegistry([mine]).agree([entry(theirs, ...theirs.supportedValues)]).get(mine);
      expect(agree(one, other)).toBe(agree(other, one));
    }
  }
});

test("two capabilities of one name, and one without values, are refused", () => {
  const bad = expect.objectContaining({ code: "BAD_CAPABILITY" });
  expect(() => new CapabilityRegistry([LEVEL, numbers("level", [1])])).toThrow(bad);
  expect(() => new CapabilityRegistry([numbers("level", [])])).toThrow(bad);
});

test("every value of every capability of this build is read as it was written", () => {
  for (const capability of ringletCapabilities(true)) {
    for (const value of capability.supportedValues) {
      expect(capability.decode(capability.encode(value)), capability.name).toBe(value);
      expect(capability.decode(Uint8Array.of(...capability.encode(value), 0))).toBeUndefined();
    }
    expect(capability.decode(new Uint8Array(0)), capability.name).toBeUndefined();
  }
  expect(VALUE_STAMPS.decode(Uint8Array.of(2))).toBeUndefined();
  expect(aead(false).supportedValues).toEqual(["none"]);
});
