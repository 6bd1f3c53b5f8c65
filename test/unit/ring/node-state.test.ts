/** What nodes say of themselves, on its way as JSON. */
import { expect, test } from "vitest";
import { type NodeState, stateFromJson, stateToJson } from "../../../src/ring/node-state.ts";

const STATE: NodeState = {
  ...{ epoch: "e", fenced: true, forgetful: false, coordinating: true, stamp: 7n },
  ...{ startedWith: ["e"], known: { 1: "f" }, dropped: [2], missed: 3n, brought: undefined },
};

const asSent = (state: Record<string, unknown>): unknown => JSON.parse(JSON.stringify(state));

test("arrives as it was said", () => {
  expect(stateFromJson(asSent(stateToJson(STATE)))).toEqual(STATE);
});

test("of one that does not say why it is fenced: it lost its memory", () => {
  for (const fenced of [true, false]) {
    const { forgetful: _, ...rest } = stateToJson({ ...STATE, fenced });
    expect(stateFromJson(asSent(rest))).toMatchObject({ fenced, forgetful: fenced });
  }
});

test.each([
  ["forgetful", "yes"],
  ["fenced", 1],
  ["stamp", -1],
  ["known", { 1: 2 }],
])("is none where %s is %s", (field, value) => {
  expect(stateFromJson({ ...stateToJson(STATE), [field]: value })).toBeUndefined();
});
